import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openDatabase } from '../../src/lib/store/database.ts';
import { saveSessionKey } from '../../src/lib/store/session-key.ts';
import { saveTransferSettings } from '../../src/lib/store/transfer-settings.ts';
import { Adopter } from '../../src/lib/transfer/adoption/adopting.ts';
import { Uploads } from '../../src/lib/transfer/upload/uploads.ts';
import { pumpUploads } from '../../src/service-worker/queue.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { TestLocks } from '../support/test-locks.ts';
import { until } from '../support/until.ts';
import { openUploadSide } from '../transfer/upload/upload-side.ts';
import { toTop } from '../transfer/upload/picked.ts';

let asked: string[];

beforeEach(async () => {
  // A file whose record a tab could not put into the inbox.
  const side = await openUploadSide();
  side.world.isOpen = false;
  side.holdQueue();
  const adopter = new Adopter(() => side.world.open);
  const uploads = new Uploads(side.tab(), side.reporter, adopter, () => undefined);
  uploads.add(toTop(new File(['a'], 'a')));
  await until(() => [...side.reports.values()].every(({ isSafe }) => isSafe));
  uploads.close();
  for (const { blob } of await side.records.list()) {
    await side.records.advance(blob, 'uploading');
    await side.records.advance(blob, 'uploaded');
  }
  side.close();

  asked = [];
  vi.stubGlobal('location', { origin: 'https://halfkey.test' });
  vi.stubGlobal('fetch', (url: string | URL) => {
    asked.push(String(url));
    return Promise.reject(new TypeError('no network'));
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

async function pump(type: 'cellular' | 'wifi', wifiOnly: boolean): Promise<string> {
  const database = await openDatabase(() => undefined);
  await saveTransferSettings(database, { parallel: 4, wifiOnly });
  const { publicKey, privateKey } = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
  await saveSessionKey(database, { sid: 'AAAAAAAAAAAAAAAAAAAAAA', publicKey, privateKey });
  database.close();
  vi.stubGlobal('navigator', { connection: { type }, locks: new TestLocks().client().locks });
  return refusalCode(pumpUploads());
}

it('with no tab open, nothing is sent on a mobile line where people want Wi-Fi, and the browser is asked to come back', async () => {
  expect(await pump('cellular', true)).toBe('store_unreachable');
  expect(asked).toEqual([]);
});

it.each([
  ['wifi', true],
  ['cellular', false],
] as const)('with no tab open, what waits is sent on %s (only on Wi-Fi: %s)', async (type, wifiOnly) => {
  expect(await pump(type, wifiOnly)).toBe('broker_unreachable');
  expect(asked).not.toEqual([]);
});
