import { HalfkeyError } from '../lib/errors.ts';
import { connectBroker } from '../lib/remote/broker.ts';
import { isLineAllowed } from '../lib/line.ts';
import { putByFetch } from '../lib/remote/s3.ts';
import { SessionProver } from '../lib/remote/session-proof.ts';
import { hasDatabase, openDatabase } from '../lib/store/database.ts';
import { opfsParts } from '../lib/store/part-files.ts';
import { readSessionKey } from '../lib/store/session-key.ts';
import { readTransferSettings } from '../lib/store/transfer-settings.ts';
import { uploadRecords } from '../lib/store/upload-records.ts';
import { sendSealed } from '../lib/transfer/upload/background.ts';
import { joinUploadNews } from '../lib/transfer/upload/upload-news.ts';

/**
 * Sends what waits sealed on this device while there is no tab to do it: for a `sync` event, inside of `waitUntil`. It
 * uses the session's key, and no other. What the session does not allow any more waits for the next sign-in.
 *
 * @throws {HalfkeyError} of the family unreachable when the network is gone again, or people do not want it used for
 *   this: the browser then tries once more, later
 */
export async function pumpUploads(): Promise<void> {
  if (!(await hasDatabase())) return; // No account is on this device: opening it would make one.
  const stop = new AbortController();
  const database = await openDatabase(() => {
    stop.abort();
  });
  const settings = await readTransferSettings(database);
  const prover = new SessionProver(() => readSessionKey(database));
  const news = joinUploadNews(({ kind }) => {
    if (kind === 'ended') stop.abort(); // Perhaps this very one was called off: the others wait for the next time.
  });
  try {
    await sendSealed(
      {
        broker: connectBroker(globalThis.location.origin, prover),
        put: putByFetch,
        records: uploadRecords(database),
        files: opfsParts('uploads'),
        locks: navigator.locks,
        news,
        isAllowed: () => isLineAllowed(settings),
      },
      stop.signal,
    );
  } catch (error) {
    if (stop.signal.aborted) return;
    if (!(error instanceof HalfkeyError) || error.family === 'unreachable') throw error;
  } finally {
    news.close();
    database.close();
  }
}
