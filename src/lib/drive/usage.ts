import type { FoldedVault } from '../journal/state/folded-vault.ts';
import { list } from '../journal/state/listing.ts';
import { DEAD, FOLDER, NO_VERSION } from '../journal/state/tables.ts';
import type { DriveUsage, FileKind } from '../protocol/drive.ts';
import { fileKind } from './file-kind.ts';
import { rowAt, type RowContext } from './rows.ts';

const LARGEST = 20;
const KINDS: readonly FileKind[] = ['image', 'video', 'audio', 'document', 'archive', 'other'];

/** What the drive holds. Counts content; ciphertext is a little more. */
export function usageOf(state: FoldedVault, context: RowContext): DriveUsage {
  const { entries, versions, hidden } = state;
  const bySize = list(state, { place: { kind: 'all' }, sortBy: 'size', descending: true }).indices.filter(
    (entry) => entries.newest[entry] !== FOLDER,
  );
  const shown = new Set(bySize);
  const kinds = new Map(KINDS.map((kind) => [kind, { files: 0, sizeBytes: 0 }]));
  const trash = { files: 0, sizeBytes: 0 };
  const earlierVersions = { count: 0, sizeBytes: 0 };
  for (let entry = 0; entry < entries.ids.length; entry++) {
    const newest = entries.newest[entry] ?? FOLDER;
    if (newest === FOLDER || entries.parents[entry] === DEAD || hidden.has(entry)) continue;
    const kind = fileKind(versions.mediaTypes[newest] ?? '', entries.names[entry] ?? '');
    const part = shown.has(entry) ? kinds.get(kind) : trash;
    if (part) {
      part.files += 1;
      part.sizeBytes += versions.sizeBytes[newest] ?? 0;
    }
    for (let row = versions.previous[newest] ?? NO_VERSION; row !== NO_VERSION;) {
      earlierVersions.count += 1;
      earlierVersions.sizeBytes += versions.sizeBytes[row] ?? 0;
      row = versions.previous[row] ?? NO_VERSION;
    }
  }
  const largest = bySize.slice(0, LARGEST).flatMap((entry) => {
    const row = rowAt(state, entry, true, context);
    return row.kind === 'file' ? [row] : [];
  });
  return {
    kinds: [...kinds].map(([kind, part]) => ({ kind, ...part })),
    trash,
    earlierVersions,
    largest,
  };
}
