import { TOP } from '../../../src/lib/protocol/drive.ts';
import type { PickedFile } from '../../../src/lib/protocol/transfer.ts';

/** Files that were picked for the top folder. */
export const toTop = (...files: readonly File[]): PickedFile[] =>
  files.map((source) => ({ source, folder: TOP }));
