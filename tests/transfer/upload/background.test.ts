import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LOCKS } from '../../../src/lib/concurrency/locks.ts';
import { randomBytes } from '../../../src/lib/crypto/random.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import type { StoredUpload } from '../../../src/lib/store/database.ts';
import { Adopter } from '../../../src/lib/transfer/adoption/adopting.ts';
import { sendSealed } from '../../../src/lib/transfer/upload/background.ts';
import { Uploads } from '../../../src/lib/transfer/upload/uploads.ts';
import { refusalCode } from '../../crypto/refusal.ts';
import { TestLocks } from '../../support/test-locks.ts';
import { openUploadSide, type UploadSide } from './upload-side.ts';
import { until } from '../../support/until.ts';
import { toTop } from './picked.ts';

let side: UploadSide;
let locks: TestLocks;
/** Three uploads that rest sealed. */
let stored: StoredUpload[];
let isAllowed: () => boolean;
/** As it was left by a tab in that state. */
const rest = (upload: StoredUpload, state: StoredUpload['state']) =>
  side.records.save({ ...upload, state } as StoredUpload);

beforeEach(async () => {
  side = await openUploadSide();
  side.world.isOpen = false;
  isAllowed = () => true;
  side.holdQueue();
  const adopter = new Adopter(() => side.world.open);
  const uploads = new Uploads(side.tab(), side.reporter, adopter, () => undefined);
  uploads.add(toTop(...['a', 'b', 'c'].map((name) => new File([name], name))));
  await until(() => [...side.reports.values()].every(({ isSafe }) => isSafe));
  uploads.close();
  stored = await side.records.list();
  [locks, side.told] = [new TestLocks(), []]; // Both tabs are gone, and their locks with them.
});
afterEach(() => {
  side.close();
});

const send = (signal = new AbortController().signal) => {
  const { broker, records, files, news } = side.tab();
  const line = { isAllowed: () => isAllowed() };
  return sendSealed(
    { broker, put: side.put, records, files, locks: locks.client().locks, news, ...line },
    signal,
  );
};
const states = async () => (await side.records.list()).map(({ state }) => state);
const inInbox = async () => (await side.world.side.inbox.list(side.world.vault, '')).names.length;

describe('what is sealed on this device', () => {
  it('is sent without a tab and without a key, and waits in the inbox for a code', async () => {
    await send();
    expect([await states(), await inInbox(), side.files.blobs.size]).toEqual([
      ['saved', 'saved', 'saved'],
      3,
      0,
    ]);
    expect(side.told.filter(({ kind }) => kind === 'changed')).toHaveLength(3);
  });

  it('is told to tabs as it goes', async () => {
    await send();
    const { blob, sealedBytes } = stored[0]!;
    expect(side.told).toContainEqual({ kind: 'progress', blob, phase: 'uploading', doneBytes: sealedBytes });
  });

  it('and was sent in part before is not sent again', async () => {
    await send();
    const { puts } = side;
    for (const each of stored) await rest(each, 'uploaded');
    await send();
    expect([side.puts, await states()]).toEqual([puts, ['saved', 'saved', 'saved']]);
  });

  it('and is for a folder that the journal may not have yet is sent, and the inbox not told of it', async () => {
    await side.records.save({ ...stored[0]!, awaitsFolder: true });
    await send();
    expect([await states(), await inInbox()]).toEqual([['uploaded', 'saved', 'saved'], 2]);
    await side.records.folderKnown(stored[0]!.blob);
    await send();
    expect([await states(), await inInbox()]).toEqual([['saved', 'saved', 'saved'], 3]);
  });

  it('and is to rest is not sent', async () => {
    await side.records.pause(stored[0]!.blob, true);
    await send();
    expect(await states()).toEqual(['sealed', 'saved', 'saved']);
  });

  it('is left alone where it is not captured whole, or is in the inbox', async () => {
    await rest(stored[0]!, 'capturing');
    await rest(stored[1]!, 'saved');
    await send();
    expect([await states(), side.puts]).toEqual([['capturing', 'saved', 'saved'], 1]);
  });

  it('is left to the tab that has it', async () => {
    const { blob } = stored[0]!;
    void locks.client().locks.request(LOCKS.upload(blob), () => new Promise(() => undefined));
    await send();
    expect(await states()).toEqual(['sealed', 'saved', 'saved']);
  });

  it('and was called off while it was sent is not put into the inbox', async () => {
    const { blob } = stored[0]!;
    side.world.interfere = async (_route, request, effect) => {
      const answer = await effect();
      const { blobs = [] } = request as { blobs?: { blob?: string }[] };
      if (blobs.some((each) => each.blob === blob)) await side.records.remove(blob);
      return answer;
    };
    await send();
    expect([await states(), await inInbox()]).toEqual([['saved', 'saved'], 2]);
  });
});

describe('what goes wrong', () => {
  it('with one upload is left to a tab to tell, and the others go', async () => {
    await side.files.write(stored[1]!.blob, 1, randomBytes(stored[1]!.sealedBytes));
    await send();
    expect(await states()).toEqual(['saved', 'uploading', 'saved']);
  });

  it('with the network is told, and nothing is tried again here', async () => {
    side.isOnline = false;
    expect(await refusalCode(send())).toBe('store_unreachable');
    expect(await states()).toEqual(['uploading', 'sealed', 'sealed']);
  });

  it('with the line, which people do not want used for it, sends nothing, or nothing more', async () => {
    isAllowed = () => false;
    expect(await refusalCode(send())).toBe('store_unreachable');
    expect([await states(), side.puts]).toEqual([['sealed', 'sealed', 'sealed'], 0]);
    isAllowed = () => side.puts === 0;
    expect(await refusalCode(send())).toBe('store_unreachable');
    expect([await states(), side.puts]).toEqual([['saved', 'sealed', 'sealed'], 1]);
    isAllowed = () => true;
    await send();
    expect(await states()).toEqual(['saved', 'saved', 'saved']);
  });

  it('with the session is told', async () => {
    side.world.interfere = () => Promise.reject(new HalfkeyError('session_missing', 'x'));
    expect(await refusalCode(send())).toBe('session_missing');
  });

  it('ends it when it is called off', async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(send(controller.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(side.puts).toBe(0);
  });
});

it('leaves all to a tab that sends already, and stays', async () => {
  const { signal } = new AbortController();
  const patience = new AbortController();
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(patience.signal);
  void locks.client().locks.request(LOCKS.queue, () => new Promise(() => undefined));
  const sending = send(signal);
  patience.abort(new DOMException('x', 'TimeoutError'));
  await sending;
  timeout.mockRestore();
  expect([await states(), side.puts]).toEqual([['sealed', 'sealed', 'sealed'], 0]);
});
