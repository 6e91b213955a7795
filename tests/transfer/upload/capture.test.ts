import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { concat } from '../../../src/lib/bytes.ts';
import { sealAad } from '../../../src/lib/crypto/aad.ts';
import { createOpener } from '../../../src/lib/crypto/floe.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import { readRecord } from '../../../src/lib/inbox/record.ts';
import { planBlob } from '../../../src/lib/transfer/plan.ts';
import { TransferTracker } from '../../../src/lib/transfer/transfer-tracker.ts';
import { capture, finishRecord, Room, stream } from '../../../src/lib/transfer/upload/capture.ts';
import { splitDigests } from '../../../src/lib/transfer/upload/capturing.ts';
import { newBlobId } from '../../../src/lib/transfer/blob-id.ts';
import { labelOf, openLabel } from '../../../src/lib/transfer/upload/label.ts';
import type { UploadItem } from '../../../src/lib/transfer/upload/upload-item.ts';
import { refusalCode } from '../../crypto/refusal.ts';
import { openUploadSide, type UploadSide } from './upload-side.ts';

const MIB = 1024 * 1024;
const PLAN = planBlob(3);
let side: UploadSide;

beforeEach(async () => {
  side = await openUploadSide();
});
afterEach(() => {
  side.close();
});

function item(source = new File(['abc'], 'a.txt')) {
  const label = labelOf(source, side.world.nowMs);
  const about = {
    transfer: label.file,
    direction: 'up',
    name: label.name,
    totalBytes: 1,
    sizeBytes: 3,
  } as const;
  return {
    ...{ blob: newBlobId(), label, source, contentKey: new Uint8Array(32).fill(7), stored: undefined },
    ...{
      controller: new AbortController(),
      isPaused: false,
      supply: undefined,
      whenSent: undefined,
      departure: undefined,
    },
    entry: new TransferTracker(about, side.reporter, () => 0),
  } satisfies UploadItem;
}

describe('room on this device', () => {
  it('is claimed by each capture until that gives it back, with a margin for everything else', async () => {
    const room = new Room(() => Promise.resolve(52 * MIB));
    const giveBack = await room.claim(15 * MIB);
    expect(giveBack).toBeDefined();
    expect(await room.claim(6 * MIB)).toBeUndefined();
    expect(await room.claim(5 * MIB)).toBeDefined();
    giveBack?.();
    expect(await room.claim(15 * MIB)).toBeDefined();
    expect(await room.claim(1)).toBeUndefined();
  });

  it('is there for who asks at the same time only once', async () => {
    const room = new Room(() => Promise.resolve(52 * MIB));
    const claims = await Promise.all([room.claim(15 * MIB), room.claim(15 * MIB)]);
    expect(claims.filter((claim) => claim !== undefined).length).toBeLessThan(2);
  });

  it('is there where nobody knows', async () => {
    expect(await new Room(() => Promise.resolve(undefined)).claim(2 ** 50)).toBeDefined();
  });
});

describe('a capture', () => {
  it('leaves a record that says so, with what the inbox takes, and names nothing in clear', async () => {
    const one = item();
    const states: (string | undefined)[] = [];
    const sealed = await capture(side.tab(), one, PLAN, (_parts, upload) => states.push(upload.state));
    expect([...states, sealed.state]).toEqual(['capturing', 'sealed']);
    expect(await side.records.read(one.blob)).toEqual(sealed);
    const { vault, vaultKey, epoch, journal } = side.world.open;
    expect(await openLabel(vaultKey, { vault, epoch, blob: one.blob }, sealed.sealedLabel)).toEqual(
      one.label,
    );
    const { inboxEpoch } = await readRecord(journal.state, vault, one.blob, sealed.inboxRecord, undefined);
    expect(inboxEpoch).toBe(0);
    expect(JSON.stringify(sealed)).not.toContain('a.txt');
  });

  it('seals with its key although whoever ends the session wipes that', async () => {
    const wiped = item();
    const sealed = await capture(side.tab(), wiped, PLAN, () => wiped.contentKey.fill(0));
    expect(splitDigests(sealed.partDigests)).toHaveLength(1);
    const header = side.files.blobs.get(wiped.blob)!.get(1)!.slice(0, 74);
    const aad = sealAad('content', side.world.vault, wiped.blob, side.world.open.epoch);
    await expect(createOpener(new Uint8Array(32).fill(7), aad, header)).resolves.toBeDefined();
    await expect(createOpener(new Uint8Array(32), aad, header)).rejects.toMatchObject({
      code: 'key_mismatch',
    });
  });

  it.each([
    ['of a file that has changed', () => item(new File(['abcd'], 'a.txt')), 'source_changed'],
    [
      'for which there is less room than was said',
      () => {
        side.files.write = () => Promise.reject(new HalfkeyError('device_full', 'no room'));
        return item();
      },
      'device_full',
    ],
  ] as const)('%s leaves nothing here', async (_case, make, code) => {
    const one = make();
    expect(await refusalCode(capture(side.tab(), one, PLAN, () => undefined))).toBe(code);
    expect([await side.records.list(), side.files.blobs.size]).toEqual([[], 0]);
  });

  it('whose session ends in the middle is found again, and asked about', async () => {
    const one = item();
    const ends = () => {
      one.controller.abort(new HalfkeyError('session_missing', 'signed out meanwhile'));
    };
    expect(await refusalCode(capture(side.tab(), one, PLAN, ends))).toBe('session_missing');
    expect(await side.records.list()).toMatchObject([{ blob: one.blob, state: 'capturing' }]);
  });

  it('that was removed meanwhile is not called sealed', async () => {
    const one = item();
    const deps = side.tab();
    const removing = capture(deps, one, PLAN, () => {
      void side.records.remove(one.blob);
    });
    expect(await refusalCode(removing)).toBe('device_state_lost');
  });
});

describe('an upload that this device has no room for', () => {
  it('rests as a draft before its first part is made, and has a record once all are', async () => {
    const one = item();
    const { parts, upload } = await stream(side.tab(), one, PLAN, undefined);
    expect(await side.records.read(one.blob)).toEqual(upload);
    expect(upload).toMatchObject({ mode: 'streamed', state: 'capturing' });
    expect(await side.records.parts(one.blob)).toEqual([]);
    const { digest } = await parts.part(1);
    const sealed = await finishRecord(side.tab(), one, upload, concat(digest));
    expect([sealed.state, sealed.inboxRecord.length]).toEqual(['sealed', expect.any(Number)]);
  });

  it('goes on with the same header and file', async () => {
    const one = item();
    const begun = await stream(side.tab(), one, PLAN, undefined);
    const { digest } = await begun.parts.part(1);
    const again = await stream(side.tab(), one, PLAN, begun.upload);
    expect([again.upload, again.parts.known(1)]).toEqual([begun.upload, digest]);
    const other = { ...one, source: new File(['abd'], 'a.txt') };
    expect(await refusalCode(stream(side.tab(), other, PLAN, begun.upload))).toBe('source_changed');
  });

  it('that was called off before it was noted is not noted', async () => {
    const one = item();
    one.controller.abort();
    await expect(stream(side.tab(), one, PLAN, undefined)).rejects.toMatchObject({ name: 'AbortError' });
    expect(await side.records.list()).toEqual([]);
  });
});
