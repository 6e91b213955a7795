import { expect, it } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { TransferTracker } from '../../src/lib/transfer/transfer-tracker.ts';
import type { TransferReport } from '../../src/lib/protocol/transfer.ts';

function newEntry() {
  const said: string[] = [];
  const reporter = {
    report: ({ phase }: TransferReport) => said.push(phase),
    gone: () => said.push('gone'),
  };
  const about = { transfer: 't', direction: 'up', name: 'n', totalBytes: 9, sizeBytes: 9 } as const;
  return { said, entry: new TransferTracker(about, reporter, () => 0) };
}

it('keeps a cancelled transfer cancelled, whatever its parts say on their way out', () => {
  const { said, entry } = newEntry();
  entry.enter('encrypting');
  entry.enter('cancelled');
  entry.enter('uploading');
  entry.progress(5);
  entry.fail(new HalfkeyError('store_unreachable', ''));
  expect(said).toEqual(['waiting', 'encrypting', 'cancelled']);
});

it('says that a transfer is done, where it was cancelled too late', () => {
  const { said, entry } = newEntry();
  entry.enter('cancelled');
  entry.enter('done');
  expect(said.at(-1)).toBe('done');
});

it('says where a transfer waits for a code, also when that is all that has changed', () => {
  const said: (true | undefined)[] = [];
  const reporter = {
    report: ({ restsHere }: TransferReport) => said.push(restsHere),
    gone: () => undefined,
  };
  const about = { transfer: 't', direction: 'up', name: 'n', totalBytes: 9, sizeBytes: 9 } as const;
  const entry = new TransferTracker(about, reporter, () => 0);
  entry.waitHereForCode();
  entry.enter('waiting-for-code');
  entry.waitHereForCode();
  entry.waitHereForCode();
  entry.enter('uploading');
  expect(said.slice(1)).toEqual([true, undefined, true, undefined]);
});

it('says nothing of a transfer that is forgotten, whoever signed out meanwhile', () => {
  const { said, entry } = newEntry();
  entry.enter('downloading');
  entry.forget();
  entry.progress(9);
  entry.fail(new DOMException('', 'AbortError'));
  entry.enter('done');
  expect(said).toEqual(['waiting', 'downloading', 'gone']);
});

it('takes a failed transfer up again', () => {
  const { said, entry } = newEntry();
  entry.fail(new HalfkeyError('store_unreachable', ''));
  entry.enter('waiting');
  entry.enter('done');
  expect(said).toEqual(['waiting', 'failed', 'waiting', 'done']);
});
