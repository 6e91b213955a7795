import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bytes } from '../../../src/lib/bytes.ts';
import { HalfkeyError, type ErrorCode } from '../../../src/lib/errors.ts';
import type { StoredUpload } from '../../../src/lib/store/database.ts';
import type { Adopter } from '../../../src/lib/transfer/adoption/adopting.ts';
import { TransferTracker } from '../../../src/lib/transfer/transfer-tracker.ts';
import { UploadSender } from '../../../src/lib/transfer/upload/upload-sender.ts';
import { labelOf } from '../../../src/lib/transfer/upload/label.ts';
import type { UploadItem } from '../../../src/lib/transfer/upload/upload-item.ts';
import type { OpenVault } from '../../../src/lib/vault/open-vault.ts';
import { recordOf } from '../../support/inbox-records.ts';
import { TestLocks } from '../../support/test-locks.ts';
import { deviceOf } from '../../support/vault-side.ts';
import { MemoryFiles } from '../engine/memory-files.ts';
import { compositeOf, openSendingSide, uploadOfThree } from './sending-side.ts';

const CONTENT_KEY = new Uint8Array(32).fill(5);

let side: Awaited<ReturnType<typeof openSendingSide>>;
let file: Awaited<ReturnType<typeof uploadOfThree>>;
let files: MemoryFiles;
let told: string[];
let adopted: { readonly key: number[]; readonly digest: string }[];
/** What adopting ends in; undefined: well. */
let adoptsWith: (() => ErrorCode) | undefined;
let isOpen: boolean;
let isInJournal: boolean;
let departures: UploadSender;

beforeEach(async () => {
  side = await openSendingSide();
  file = await uploadOfThree(side.vault);
  files = new MemoryFiles();
  [told, adopted, adoptsWith, isOpen, isInJournal] = [[], [], undefined, false, false];
  for (const [index, body] of file.bodies.entries()) await files.write(file.upload.blob, index + 1, body);
  const adopter = {
    adopt: ({ contentKey, version }: Parameters<Adopter['adopt']>[0]) => {
      adopted.push({ key: [...contentKey], digest: version.digest });
      const code = adoptsWith?.();
      return code ? Promise.reject(new HalfkeyError(code, code)) : Promise.resolve();
    },
  } as unknown as Adopter;
  const vault = {
    journal: { state: { hasBlob: () => isInJournal } },
    requireGrant: () => {
      if (!isOpen) throw new HalfkeyError('locked', 'no grant is live');
    },
  } as unknown as OpenVault;
  const deps = {
    ...{ vault: () => vault, broker: side.deps.broker, records: side.records, files, sending: side.deps },
    locks: new TestLocks().client().locks,
    news: { tell: () => undefined, close: () => undefined },
    freeBytes: () => Promise.resolve(undefined),
    nowMs: () => 0,
    folders: { ensure: () => Promise.resolve() },
    openDraft: () => Promise.reject(new Error('nothing is streamed here')),
  };
  const tell = (what: string) => () => {
    told.push(what);
    return Promise.resolve();
  };
  departures = new UploadSender(deps, adopter, {
    onAdopted: tell('adopted'),
    onWaiting: () => void told.push('waiting'),
    onGone: () => void told.push('gone'),
    onLost: tell('lost'),
  });
});
afterEach(() => {
  side.database.close();
});

/** Sends an upload that is stored so, or not at all; what the list shows of it in the end. */
async function depart(
  state: StoredUpload['state'] | undefined,
  about: { contentKey?: typeof CONTENT_KEY; isAborted?: boolean; record?: Bytes } = {},
): Promise<TransferTracker> {
  const stored = {
    ...file.upload,
    state: state ?? 'sealed',
    inboxRecord: about.record ?? signed(),
  } as StoredUpload;
  if (state) await side.records.save(stored);
  const label = labelOf(new File(['x'], 'a.txt'), 0);
  const size = { sizeBytes: 1, totalBytes: stored.sealedBytes };
  const entry = new TransferTracker(
    { transfer: label.file, direction: 'up', name: 'a.txt', ...size },
    { report: () => undefined, gone: () => undefined },
    () => 0,
  );
  const controller = new AbortController();
  if (about.isAborted) controller.abort();
  const item: UploadItem = {
    ...{ blob: stored.blob, label, entry, controller, stored: state && stored },
    ...{ source: undefined, contentKey: about.contentKey, supply: undefined },
    ...{ isPaused: false, whenSent: undefined, departure: undefined },
  };
  await departures.offer(item);
  // What is done beside the line goes on after its turn.
  await expect.poll(() => told.length > 0 || entry.ended || departed(entry) || waits(entry)).toBe(true);
  return entry;
}
const waits = ({ phase }: TransferTracker): boolean => phase === 'waiting-for-code';
/** What this device has signed for it. */
const signed = () => new Uint8Array(recordOf(deviceOf(side.session), side.vault, file.upload.blob));
/** Nothing is under way for an upload that was not taken up. */
const departed = ({ phase }: TransferTracker): boolean => phase === 'waiting';
const inInbox = () =>
  side.cloud.objects.has(`v/${side.vault}/inbox/${side.session.device}/${file.upload.blob}`);
const puts = () => side.heard.filter((each) => each.startsWith('put'));

describe('what is sealed', () => {
  it('goes into the inbox without a grant, and leaves this device', async () => {
    const entry = await depart('sealed');
    expect(told).toEqual(['waiting']);
    expect(entry.phase).toBe('waiting-for-code');
    expect(inInbox()).toBe(true);
    expect((await side.records.read(file.upload.blob))?.state).toBe('saved');
    expect(await files.list()).toEqual([]);
  });

  it('waits on this device for a code where the inbox has no room for it, or not for who signed it', async () => {
    const ofOldKeys = signed();
    ofOldKeys[40]! ^= 1;
    const entry = await depart('sealed', { record: ofOldKeys });
    expect([entry.phase, told, inInbox()]).toEqual(['waiting-for-code', ['waiting'], false]);
    expect((await side.records.read(file.upload.blob))?.state).toBe('uploaded');
    expect(await files.list()).toEqual([file.upload.blob]);
  });

  it('and that S3 has swept since is sent again at the next try', async () => {
    const entry = await depart('uploaded');
    expect(entry.phase).toBe('failed');
    expect((await side.records.read(file.upload.blob))?.state).toBe('uploading');
  });

  it('goes into the drive with a grant, and not into the inbox', async () => {
    isOpen = true;
    await depart('sealed', { contentKey: CONTENT_KEY.slice() });
    expect(told).toEqual(['adopted']);
    expect(adopted).toEqual([{ key: [...CONTENT_KEY], digest: compositeOf(file.digests) }]);
    expect(inInbox()).toBe(false);
  });

  it.each(['locked', 'grant_spent', 'broker_unreachable'] as const)(
    'goes into the inbox when adopting it ends in %s',
    async (code) => {
      isOpen = true;
      adoptsWith = () => code;
      const contentKey = CONTENT_KEY.slice();
      await depart('sealed', { contentKey });
      expect(told).toEqual(['waiting']);
      expect(inInbox()).toBe(true);
      expect(contentKey.every((byte) => byte === 0)).toBe(true);
    },
  );

  it('fails when its blob has the envelope of another key', async () => {
    isOpen = true;
    adoptsWith = () => 'envelope_corrupt';
    const entry = await depart('sealed', { contentKey: CONTENT_KEY.slice() });
    expect([entry.phase, told, inInbox()]).toEqual(['failed', [], false]);
  });

  it('is in the drive already when another device was faster', async () => {
    isInJournal = true;
    await depart('sealed');
    expect([told, inInbox()]).toEqual([['adopted'], false]);
  });

  it('is lost when a part of it was evicted', async () => {
    files.blobs.get(file.upload.blob)?.delete(2);
    const entry = await depart('sealed');
    expect([told, entry.ended]).toEqual([['lost'], false]);
  });

  it('is lost when a part of it has no bytes any more', async () => {
    files.blobs.get(file.upload.blob)?.set(2, new Uint8Array());
    const entry = await depart('sealed');
    expect([told, entry.ended]).toEqual([['lost'], false]);
    expect(side.heard).not.toContain('put 2');
  });
});

describe('what is not to be sent', () => {
  it('is gone when another tab has ended it', async () => {
    await depart(undefined);
    expect([told, side.heard]).toEqual([['gone'], []]);
  });

  it.each(['capturing', 'saved'] as const)('rests while it is %s', async (state) => {
    await depart(state);
    expect([told, side.heard]).toEqual([[], []]);
  });

  it('is not sent a second time when S3 has it', async () => {
    const record = signed();
    await depart('sealed', { record });
    side.heard.length = 0;
    told.length = 0;
    await files.write(file.upload.blob, 1, file.bodies[0]!);
    await depart('uploaded', { record });
    expect([told, puts()]).toEqual([['waiting'], []]);
  });

  it('says nothing of what was called off', async () => {
    const entry = await depart('sealed', { isAborted: true });
    expect([told, side.heard, entry.phase]).toEqual([[], [], 'waiting']);
  });
});
