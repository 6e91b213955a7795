import type { GrantId } from '$contract/ids.ts';
import { HalfkeyError } from '../../errors.ts';
import type { Broker } from '../../remote/broker.ts';
import type { Put } from '../../remote/s3.ts';
import type { StoredUpload } from '../../store/database.ts';
import type { PartFiles } from '../../store/part-files.ts';
import type { UploadRecords } from '../../store/upload-records.ts';
import { sealedParts } from './capturing.ts';
import { InboxWriter } from '../adoption/inbox-writer.ts';
import { Semaphore } from '../../concurrency/semaphore.ts';
import { Connection } from '../connection.ts';
import type { SendingDeps } from './part-supply.ts';
import { PutUrls } from './put-urls.ts';
import { sendBlob } from './sending.ts';
import type { UploadNews } from './upload-news.ts';
import { LOCKS } from '../../concurrency/locks.ts';

/** Fewer than a tab sends: nobody is watching, and the browser gives this little of everything. */
const PARALLEL = 2;
const NO_GRANT = (): { readonly grant?: GrantId } => ({});

/** A tab that is being closed lets go of the queue a moment late. */
const QUEUE_WITHIN_MS = 20_000;

/** What sending needs where there is no tab. None of it is a key. */
export interface BackgroundDeps {
  readonly broker: Broker;
  readonly put: (put: Put) => Promise<string>;
  readonly records: UploadRecords;
  readonly files: PartFiles;
  readonly locks: Pick<LockManager, 'request'>;
  readonly news: UploadNews;
  /** Whether this device's line may be used now: it may be metered, and people may not want that. */
  readonly isAllowed: () => boolean;
}

/**
 * Sends what is sealed on this device, one file after the other, and puts its record into the inbox: what a device with
 * a grant takes into the drive later. A tab that sends already, and stays, is left to it.
 *
 * @throws {HalfkeyError} of the family unreachable when the network is gone, or not to be used: to be called again when
 *   there is another; whatever else stops one upload is left to a tab, which can say so
 */
export async function sendSealed(deps: BackgroundDeps, signal: AbortSignal): Promise<void> {
  const { broker, put, records, locks, isAllowed } = deps;
  // A tab would wait for another line. Here the browser is asked to come back.
  const connection = { isAllowed: () => true, isPatient: false };
  const ways = { broker: new Connection(connection), store: new Connection(connection) };
  const sending = {
    broker,
    put,
    records,
    connection: ways,
    gate: new Semaphore(PARALLEL),
    tinyGate: new Semaphore(PARALLEL),
    grant: NO_GRANT,
    urls: new PutUrls(broker, NO_GRANT),
  };
  const inbox = new InboxWriter(broker, ways.broker);
  await whenFree(locks, signal, async () => {
    for (const { blob } of await records.list()) {
      signal.throwIfAborted();
      if (!isAllowed()) throw new HalfkeyError('store_unreachable', 'this line is not to be used');
      await locks.request(LOCKS.upload(blob), { ifAvailable: true }, async (own) => {
        const upload = own && (await records.read(blob)); // As it is now, under the lock.
        if (upload) await sendOne(deps, sending, inbox, upload, signal).catch(leaveToTab);
      });
    }
  });
}

/** Does `work` in the queue's turn, or not at all when somebody else has the queue for long. */
async function whenFree(
  locks: BackgroundDeps['locks'],
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  const patience = AbortSignal.timeout(QUEUE_WITHIN_MS);
  const turn = { isOurs: false };
  try {
    await locks.request(LOCKS.queue, { signal: AbortSignal.any([signal, patience]) }, () => {
      turn.isOurs = true;
      return work();
    });
  } catch (error) {
    if (turn.isOurs || !patience.aborted) throw error;
  }
}

/** What is wrong with one upload keeps no other; without a network or a session there is nothing to go on with. */
function leaveToTab(error: unknown): void {
  const isOwn =
    error instanceof HalfkeyError && error.family !== 'unreachable' && error.code !== 'session_missing';
  if (!isOwn) throw error;
}

async function sendOne(
  { records, files, news }: BackgroundDeps,
  sending: SendingDeps,
  inbox: InboxWriter,
  upload: StoredUpload,
  signal: AbortSignal,
): Promise<void> {
  if (upload.state === 'capturing' || upload.state === 'saved' || upload.isPaused) return;
  const { blob, vault, inboxRecord } = upload;
  if (upload.state !== 'uploaded') {
    await records.advance(blob, 'uploading');
    await sendBlob(sending, upload, sealedParts(files, upload), signal, {
      onSent: (doneBytes) => {
        news.tell({ kind: 'progress', blob, phase: 'uploading', doneBytes });
      },
      onVerifying: () => Promise.resolve(),
    });
    if (!(await records.advance(blob, 'uploaded'))) return; // Called off meanwhile.
  }
  if (upload.awaitsFolder) return; // A tab knows whether the journal has it, and can write it there.
  await inbox.write(vault, blob, inboxRecord);
  await records.advance(blob, 'saved');
  await files.remove(blob);
  news.tell({ kind: 'changed', blob });
}
