import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import { putByFetch } from '../../../src/lib/remote/s3.ts';
import type { StoredUpload } from '../../../src/lib/store/database.ts';
import { uploadRecords } from '../../../src/lib/store/upload-records.ts';
import { sendSealed } from '../../../src/lib/transfer/upload/background.ts';
import { LOCKS } from '../../../src/lib/concurrency/locks.ts';
import { joinUploadNews } from '../../../src/lib/transfer/upload/upload-news.ts';
import { Engine, type EngineOptions, type EngineDeps } from './engine.ts';
import { expectOnceAndWhole, makeFile, openGround, START_MS } from './ground.ts';
import { toTop } from '../upload/picked.ts';

// Tabs, and what sends without one, over the same files at the same time.
const MIB = 1024 * 1024;
let ground: EngineDeps;
let close: () => Promise<void>;
const engines: Engine[] = [];

beforeAll(async () => {
  ({ ground, close } = await openGround('together'));
}, START_MS);
afterAll(() => close(), START_MS);
afterEach(() => {
  for (const engine of engines.splice(0)) engine.crash();
});

function openTab(options: EngineOptions = {}): Engine {
  const engine = new Engine(ground, options);
  engines.push(engine);
  return engine;
}

/** Counts what each step does. */
function counting(): { steps: Map<string, number>; dies: NonNullable<EngineOptions['dies']> } {
  const steps = new Map<string, number>();
  return {
    steps,
    dies: (_, what) => {
      steps.set(what, (steps.get(what) ?? 0) + 1);
      return undefined;
    },
  };
}

test('two tabs that take files in at once send each of them once', async () => {
  const { steps, dies } = counting();
  const [one, other] = [openTab({ dies }), openTab({ dies })];
  const files = Array.from({ length: 6 }, (_, index) => makeFile(`both ${String(index)}`, 2000 + index));
  one.uploads.add(toTop(...files.slice(0, 3)));
  other.uploads.add(toTop(...files.slice(3)));
  for (const { name } of files.slice(0, 3)) await one.until(name, 'done');
  for (const { name } of files.slice(3)) await other.until(name, 'done');
  expect(steps.get('put')).toBe(6);
  for (const file of files) await expectOnceAndWhole(ground, file);
  expect(await ground.database.getAll('uploads')).toEqual([]);
});

test('a tab sees what another one takes in, and that it is done', async () => {
  const [one, other] = [openTab(), openTab({ isOpen: () => false })];
  const file = makeFile('seen elsewhere', 9 * MIB);
  one.uploads.add(toTop(file));
  await one.until(file.name, 'done');
  expect((await other.until(file.name, 'done')).isSafe).toBe(true);
});

describe('a tab that hears of an upload when another one has ended it', () => {
  /** An upload that is stored here, sealed; anyone who took it in is gone. */
  async function sealed(name: string): Promise<StoredUpload> {
    const tab = openTab({ dies: (_, what) => (what.endsWith('/blobs/put') ? 'before' : undefined) });
    tab.uploads.add(toTop(makeFile(name, 3000)));
    await tab.death;
    const all = await ground.database.getAll('uploads');
    return all.find(({ state }) => state !== 'saved')!;
  }

  async function remove({ blob }: StoredUpload): Promise<void> {
    await ground.database.delete('uploads', blob);
    await ground.files.remove(blob);
  }

  test('does not take it up: told in the middle of reading of it', async () => {
    const upload = await sealed('told meanwhile');
    const tab = openTab();
    const heard = tab.uploads.hear({ kind: 'changed', blob: upload.blob });
    await tab.uploads.hear({ kind: 'ended', blob: upload.blob, how: 'cancelled' });
    await heard;
    expect(tab.reports.size).toBe(0);
    await remove(upload);
  });

  test('lets go of it: not told at all', async () => {
    const upload = await sealed('not told');
    const tab = openTab();
    await ground.locks.client().locks.request(LOCKS.queue, async () => {
      await tab.uploads.hear({ kind: 'changed', blob: upload.blob });
      expect(tab.reports.size).toBe(1);
      await remove(upload);
    });
    await expect.poll(() => tab.reports.size).toBe(0);
    expect(tab.failures).toEqual([]);
  });
});

test('what is sealed goes into the inbox without a tab, and another device adopts it', async () => {
  const files = [makeFile('alone', 3000), makeFile('large and alone', 9 * MIB)];
  // The network goes as soon as they are sealed, and the tab with it.
  const tab = openTab({
    isOpen: () => false,
    dies: (_, what) =>
      what.endsWith('/uploads/create') || what.endsWith('/blobs/put') ? 'before' : undefined,
  });
  tab.uploads.add(toTop(...files.slice(0, 1)));
  await tab.death;
  const second = openTab({
    isOpen: () => false,
    dies: (_, what) => (what.endsWith('/uploads/complete') ? 'before' : undefined),
  });
  second.uploads.add(toTop(...files.slice(1)));
  await second.death;

  const news = joinUploadNews(() => undefined);
  let puts = 0;
  await sendSealed(
    {
      broker: ground.person.broker,
      put: (put) => {
        puts += 1;
        return putByFetch(put);
      },
      records: uploadRecords(ground.database),
      files: ground.files,
      locks: ground.locks.client().locks,
      news,
      isAllowed: () => true,
    },
    new AbortController().signal,
  );
  news.close();
  expect(puts).toBe(1); // Of the large one S3 has both parts.
  expect((await ground.database.getAll('uploads')).map(({ state }) => state)).toEqual(['saved', 'saved']);
  expect([...ground.files.blobs.keys()]).toEqual([]);

  const open = openTab();
  await open.uploads.resume();
  await open.adoption.now();
  for (const file of files) {
    await open.until(file.name, 'done');
    await expectOnceAndWhole(ground, file);
  }
});

test('without a network the background gives up, so that the browser tries again later', async () => {
  const file = makeFile('cut off', 3000);
  const tab = openTab({ dies: (_, what) => (what === 'put' ? 'before' : undefined) });
  tab.uploads.add(toTop(file));
  await tab.death;
  const news = joinUploadNews(() => undefined);
  const outcome = sendSealed(
    {
      broker: ground.person.broker,
      put: () => Promise.reject(new HalfkeyError('store_unreachable', '')),
      records: uploadRecords(ground.database),
      files: ground.files,
      locks: ground.locks.client().locks,
      news,
      isAllowed: () => true,
    },
    new AbortController().signal,
  );
  await expect(outcome).rejects.toMatchObject({ code: 'store_unreachable' });
  news.close();
  expect((await ground.database.getAll('uploads')).map(({ state }) => state)).toEqual(['uploading']);
});
