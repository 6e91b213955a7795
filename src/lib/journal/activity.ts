import type { JournalRemote } from './ports.ts';
import { walk, type ReplicaTrust } from './replica.ts';
import type { FoldableSegment } from './state/fold.ts';
import type { FoldedVault } from './state/folded-vault.ts';
import type { Operation, OperationKind } from './entries/operations.ts';

/** One thing that a device wrote into the journal; whether it counted is not said. */
interface Deed {
  /** The segment that says it. */
  readonly seq: number;
  readonly kind: OperationKind;
  /** What the entry, tag or device was called before, where it is about one that was known. */
  readonly name?: string;
  /** What it was to be called from then on. */
  readonly newName?: string;
  /** By the device's own clock; missing where the operation says no time. */
  readonly atMs?: number;
}

/** What a device did, and what is known of when. */
export interface Activity {
  readonly device: string;
  readonly deeds: readonly Deed[];
  /** When other devices said, by their own clocks, that they had seen the journal so far; ascending by place. */
  readonly heard: readonly { readonly seq: number; readonly atMs: number }[];
}

/** Reads the whole log for what a device did. @throws {HalfkeyError} as `Journal.refresh` */
export async function readActivity(
  trust: ReplicaTrust,
  remote: JournalRemote,
  device: string,
): Promise<Activity> {
  const deeds: Deed[] = [];
  const heard: { seq: number; atMs: number }[] = [];
  await walk(trust, remote, (segment, before) => {
    if (segment.writer === device) deeds.push(...deedsOf(segment, before));
    else if (segment.writer !== undefined) heard.push(...heartbeatsOf(segment));
  });
  return { device, deeds, heard };
}

/** What one segment says, in names. @param before the state that its writer wrote it to */
function deedsOf({ seq, operations }: FoldableSegment, before: FoldedVault): Deed[] {
  const names = new Map<string, string>();
  return operations.map((operation): Deed => {
    const subject = subjectOf(operation);
    const name = subject === undefined ? undefined : (names.get(subject) ?? before.entry(subject)?.name);
    const newName = 'name' in operation ? operation.name : undefined;
    if (subject !== undefined && newName !== undefined) names.set(subject, newName);
    const atMs = timeOf(operation);
    return {
      seq,
      kind: operation.kind,
      ...(name !== undefined && { name }),
      ...(newName !== undefined && { newName }),
      ...(atMs !== undefined && { atMs }),
    };
  });
}

/**
 * The segment from which on to doubt a device that was lost on a day: the first that may have come after its beginning.
 * It is earlier rather than later, because only what the others said tells the time.
 * @param sinceMs ms since 1970
 */
export function doubtFrom({ heard }: Activity, sinceMs: number): number {
  let from = 0;
  for (const { seq, atMs } of heard) if (atMs < sinceMs) from = Math.max(from, seq + 1);
  return from;
}

/** The deeds that a revocation since this segment would undo: heartbeats and inbox keys count all the same. */
export function undoneBy({ deeds }: Activity, since: number): Deed[] {
  return deeds.filter(({ seq, kind }) => seq >= since && kind !== 'heartbeat' && kind !== 'inbox-key');
}

function heartbeatsOf({ seq, operations }: FoldableSegment): { seq: number; atMs: number }[] {
  return operations.flatMap((operation) =>
    operation.kind === 'heartbeat' ? [{ seq, atMs: operation.atMs }] : [],
  );
}

function subjectOf(operation: Operation): string | undefined {
  if ('entry' in operation) return operation.entry;
  if ('file' in operation) return operation.file;
  return operation.kind === 'folder-add' ? operation.folder : undefined;
}

function timeOf(operation: Operation): number | undefined {
  if ('atMs' in operation) return operation.atMs;
  return 'version' in operation && typeof operation.version === 'object'
    ? operation.version.addedAtMs
    : undefined;
}
