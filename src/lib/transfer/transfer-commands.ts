import type { HandlersOf } from '../protocol/commands.ts';
import type { TransferCommands } from '../protocol/transfer.ts';
import { storageTerms } from '../store/opfs.ts';
import type { Transfers } from './transfers.ts';

/**
 * Answers what brings files up and down, and what keeps them here.
 * @param pendingNames files with a new name that is not in the journal yet
 */
export function transferCommands(
  transfers: Transfers,
  pendingNames: () => number,
): HandlersOf<TransferCommands> {
  return {
    'upload/add': ({ files }) => ({ beyondCode: transfers.add(files) }),
    'upload/again': ({ transfer, file }) => transfers.again(transfer, file),
    'upload/wake': () => {
      transfers.wake();
    },
    'settings/read': () => transfers.settings(),
    'settings/write': (settings) => transfers.set(settings),
    'storage/read': async () => ({
      ...(await storageTerms()),
      usedBytes: await transfers.recordedBytes(),
      ...transfers.held(),
      pendingNames: pendingNames(),
    }),
    'file/keep': ({ file, keep }) => transfers.keep(file, keep),
    'transfer/cancel': ({ transfer }) => transfers.cancel(transfer),
    'transfer/retry': ({ transfer }) => {
      transfers.retry(transfer);
    },
    'transfer/pause': ({ transfer }) => transfers.pause(transfer),
    'transfer/resume': ({ transfer }) => transfers.resume(transfer),
    'transfer/dismiss': ({ transfer }) => transfers.dismiss(transfer),
    'download/stream': ({ file, form, version }) => transfers.stream(file, form, version),
    'download/write': ({ file, form, handle, version }) => transfers.write(file, form, handle, version),
    'download/zip': (zipped) => transfers.zip(zipped),
    'download/zip-write': ({ handle, ...zipped }) => transfers.writeZip(zipped, handle),
    'file/preview': ({ file, version }) => transfers.preview(file, version),
  };
}
