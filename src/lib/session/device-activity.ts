import { doubtFrom, undoneBy } from '../journal/activity.ts';
import type { OperationKind } from '../journal/entries/operations.ts';
import type { Journal } from '../journal/journal.ts';
import type { Commands } from '../protocol/commands.ts';
import type { DeviceDeed } from '../protocol/credentials.ts';

/** A list that is longer is not read by anybody. */
const MOST_DEEDS = 200;

/** What the operations are to people; those that are missing change nothing that anybody sees. */
const DEEDS: Partial<Record<OperationKind, DeviceDeed['kind']>> = {
  'folder-add': 'added',
  'file-add': 'added',
  'version-add': 'replaced',
  'version-restore': 'replaced',
  rename: 'renamed',
  move: 'moved',
  trash: 'deleted',
  purge: 'deleted',
  restore: 'restored',
  tag: 'tagged',
};

/** What a device did to the list since a moment, the newest first. @throws {HalfkeyError} as `Journal.refresh` */
export async function activitySince(
  journal: Journal,
  { device, sinceMs }: Commands['credentials/activity']['args'],
): Promise<Omit<Commands['credentials/activity']['result'], 'left'>> {
  const activity = await journal.activityOf(device);
  const since = doubtFrom(activity, sinceMs);
  const deeds = undoneBy(activity, since).flatMap(({ kind, name, newName, atMs }): DeviceDeed[] => {
    const deed = DEEDS[kind];
    if (!deed) return [];
    return [
      {
        kind: deed,
        ...(name !== undefined && { name }),
        ...(newName !== undefined && { newName }),
        ...(atMs !== undefined && { atMs }),
      },
    ];
  });
  return { since, deeds: deeds.slice(-MOST_DEEDS).reverse(), count: deeds.length };
}
