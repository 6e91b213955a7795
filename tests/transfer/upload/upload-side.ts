import { PutUrls } from '../../../src/lib/transfer/upload/put-urls.ts';
import 'fake-indexeddb/auto';
import { toB64 } from '../../../src/lib/bytes.ts';
import { sha256 } from '../../../src/lib/crypto/digest.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import { LOCKS } from '../../../src/lib/concurrency/locks.ts';
import { Semaphore } from '../../../src/lib/concurrency/semaphore.ts';
import type { TransferReport } from '../../../src/lib/protocol/transfer.ts';
import type { Put } from '../../../src/lib/remote/s3.ts';
import { openDatabase } from '../../../src/lib/store/database.ts';
import { uploadRecords } from '../../../src/lib/store/upload-records.ts';
import { Connection } from '../../../src/lib/transfer/connection.ts';
import type { UploadNewsMessage } from '../../../src/lib/transfer/upload/upload-news.ts';
import type { UploadDeps } from '../../../src/lib/transfer/upload/upload-item.ts';
import { TestLocks } from '../../support/test-locks.ts';
import { openVaultWorld } from '../../support/vault-world.ts';
import { MemoryFiles } from '../engine/memory-files.ts';

/** A device that sends small files to a vault in memory; what it tells other tabs and the list is noted. */
export async function openUploadSide() {
  const world = await openVaultWorld();
  const database = await openDatabase(() => undefined);
  const records = uploadRecords(database);
  for (const { blob } of await records.list()) await records.remove(blob);
  const files = new MemoryFiles();
  const locks = new TestLocks();
  const side = {
    ...{ world, records, files, locks },
    told: [] as UploadNewsMessage[],
    /** By transfer: the latest; `phases` has all. */
    reports: new Map<string, TransferReport>(),
    phases: [] as string[],
    puts: 0,
    /** Whether the store can be reached. */
    isOnline: true,
    /** Bytes that this device can still take. */
    freeBytes: undefined as number | undefined,
    /** Has folders written into the journal. */
    ensureFolders: (_folders: readonly string[]) => Promise.resolve(),
    /** The line was found dead, or alive again. */
    lineChanged: () => undefined as void,
    /** Another tab sends, and no other. @returns what ends it */
    holdQueue: () => {
      const other = locks.client();
      void other.locks.request(LOCKS.queue, () => new Promise(() => undefined));
      return other.drop;
    },
    close: () => {
      database.close();
    },
  };
  const put = async ({ url, body, sha256B64, onProgress }: Put): Promise<string> => {
    if (!side.isOnline) throw new HalfkeyError('store_unreachable', 'no network');
    side.puts += 1;
    const bytes = new Uint8Array(await body.arrayBuffer());
    if (toB64(await sha256(bytes)) !== sha256B64) throw new HalfkeyError('upload_mismatch', 'other bytes');
    const created = await world.cloud.vaultObjects.create(
      world.vault,
      `blobs/${url.replace('memory:', '')}`,
      bytes,
    );
    if (created === 'exists') throw new HalfkeyError('already_exists', 'there is one');
    onProgress?.(bytes.length);
    return '"etag"';
  };
  const options = {
    ...{ isAllowed: () => true, isPatient: true },
    onWaiting: () => {
      side.lineChanged();
    },
  };
  const connection = { broker: new Connection(options), store: new Connection(options) };
  const { broker } = world;
  /** What one tab has. */
  const tab = (): UploadDeps => ({
    ...{ vault: () => world.open, broker, records, files },
    sending: {
      ...{
        broker,
        put,
        records,
        connection,
        gate: new Semaphore(4),
        tinyGate: new Semaphore(6),
        grant: () => ({}),
      },
      urls: new PutUrls(broker, () => ({})),
    },
    locks: locks.client().locks,
    news: { tell: (message) => void side.told.push(message), close: () => undefined },
    freeBytes: () => Promise.resolve(side.freeBytes),
    nowMs: () => world.nowMs,
    folders: { ensure: (folders) => side.ensureFolders(folders) },
    openDraft: () => Promise.reject(new HalfkeyError('locked', 'nothing is streamed here')),
  });
  const reporter = {
    report: (report: TransferReport) => {
      const before = side.reports.get(report.transfer);
      side.reports.set(report.transfer, report);
      if (before?.phase !== report.phase) side.phases.push(`${report.name} ${report.phase}`);
    },
    gone: (transfer: string) => {
      side.reports.delete(transfer);
    },
  };
  return Object.assign(side, { tab, put, reporter, connection });
}

export type UploadSide = Awaited<ReturnType<typeof openUploadSide>>;
