import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import { planBlob } from '../../../src/lib/transfer/plan.ts';
import { TransferTracker } from '../../../src/lib/transfer/transfer-tracker.ts';
import { Captures } from '../../../src/lib/transfer/upload/captures.ts';
import { newBlobId } from '../../../src/lib/transfer/blob-id.ts';
import { labelOf } from '../../../src/lib/transfer/upload/label.ts';
import type { UploadItem } from '../../../src/lib/transfer/upload/upload-item.ts';
import type { UploadSender } from '../../../src/lib/transfer/upload/upload-sender.ts';
import { openUploadSide, type UploadSide } from './upload-side.ts';

const PLAN = planBlob(3);
let side: UploadSide;
let offered: { mode: string | undefined; hasSupply: boolean }[];
let captures: Captures;

beforeEach(async () => {
  side = await openUploadSide();
  offered = [];
  const sender = {
    isWaiting: false,
    offer: async (item: UploadItem) => {
      offered.push({ mode: item.stored?.mode, hasSupply: item.supply !== undefined });
      const part = await item.supply?.part(1);
      if (part) await item.whenSent?.([part.digest]);
    },
  } as unknown as UploadSender;
  captures = new Captures(side.tab(), sender);
});
afterEach(() => {
  side.close();
});

function pick(name = 'a.txt'): UploadItem {
  const source = new File(['abc'], name);
  const label = labelOf(source, side.world.nowMs);
  const about = { transfer: label.file, direction: 'up', name, totalBytes: 1, sizeBytes: 3 } as const;
  return {
    ...{ blob: newBlobId(), label, source, contentKey: undefined, stored: undefined, supply: undefined },
    ...{ controller: new AbortController(), isPaused: false, whenSent: undefined, departure: undefined },
    entry: new TransferTracker(about, side.reporter, () => 0),
  };
}

describe('a file that is taken in', () => {
  it('rests sealed, is safe, and is still to be sent', async () => {
    const item = pick();
    expect(await captures.take(item, PLAN)).toBe(true);
    expect([item.stored?.state, item.stored?.mode, item.source]).toEqual(['sealed', 'device', undefined]);
    expect(side.reports.get(item.label.file)).toMatchObject({ phase: 'encrypting', isSafe: true });
    expect([side.files.blobs.size, offered]).toEqual([1, []]);
  });

  it('keeps its key for as long as a grant is live, and no longer', async () => {
    const open = pick();
    await captures.take(open, PLAN);
    expect(open.contentKey).toHaveLength(32);
    side.world.isOpen = false;
    const locked = pick();
    await captures.take(locked, PLAN);
    expect(locked.contentKey).toBeUndefined();
  });

  it('has another key than any other', async () => {
    const [one, two] = [pick(), pick()];
    await Promise.all([captures.take(one, PLAN), captures.take(two, PLAN)]);
    expect(one.contentKey).not.toEqual(two.contentKey);
  });

  it('goes up part by part where this device has no room for it', async () => {
    side.freeBytes = 1;
    const item = pick();
    expect(await captures.take(item, PLAN)).toBe(true);
    expect(offered).toEqual([{ mode: 'streamed', hasSupply: true }]);
    expect([item.stored?.state, item.stored?.mode, side.files.blobs.size]).toEqual(['sealed', 'streamed', 0]);
  });

  it('goes up part by part where there was less room than the browser had said', async () => {
    side.files.write = () => Promise.reject(new HalfkeyError('device_full', 'no room'));
    const item = pick();
    await captures.take(item, PLAN);
    expect(offered).toEqual([{ mode: 'streamed', hasSupply: true }]);
    expect(await side.records.list()).toMatchObject([{ blob: item.blob, mode: 'streamed' }]);
  });

  it('and has changed meanwhile fails, and leaves nothing', async () => {
    const item = pick();
    item.source = new File(['abcd'], 'a.txt');
    expect(await captures.take(item, PLAN)).toBe(false);
    expect(side.reports.get(item.label.file)).toMatchObject({
      ...{ phase: 'failed', error: { code: 'source_changed' }, canRetry: false },
    });
    expect(await side.records.list()).toEqual([]);
  });

  it('and was called off before its turn is not begun', async () => {
    const item = pick();
    item.controller.abort();
    expect(await captures.take(item, PLAN)).toBe(false);
    expect([await side.records.list(), item.entry.phase]).toEqual([[], 'waiting']);
  });
});

describe('a file that was sent in part, and was picked again', () => {
  it('waits for its file once more where it is another', async () => {
    side.freeBytes = 1;
    const item = pick();
    await captures.take(item, PLAN);
    const deps = { ...side.tab(), openDraft: () => Promise.resolve(item.contentKey!.slice()) };
    const again = new Captures(deps, { isWaiting: false } as unknown as UploadSender);
    item.source = new File(['abd'], 'a.txt');
    expect(await again.take(item, PLAN)).toBe(false);
    expect(side.reports.get(item.label.file)).toMatchObject({
      ...{ phase: 'waiting-for-file', error: { code: 'source_changed' } },
    });
    expect(item.source).toBeUndefined();
  });
});
