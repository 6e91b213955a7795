import { concat, equalBytes, type Bytes } from '../bytes.ts';
import { sha256 } from '../crypto/digest.ts';
import { HalfkeyError } from '../errors.ts';
import type { FoldedVault } from './state/folded-vault.ts';
import { encodeOperation } from './entries/operation-codec.ts';
import { MAX_OPERATIONS, mayWrite, type Operation, type SnapshotName } from './entries/operations.ts';
import type { JournalRemote } from './ports.ts';
import { pull, type Replica } from './replica.ts';
import { type JournalHead, sealSegment, type SegmentSigner } from './entries/segment.ts';
import { MAX_SEQUENCE_BYTES } from './entries/segment-padding.ts';

/**
 * What somebody wants of the journal, told of the state that it would be done to. It is asked again whenever another
 * device was faster, and leaves out what is not wanted any more.
 */
export type Intent = (state: FoldedVault) => readonly Operation[];

/** Tries without an answer before the caller is told. */
const MAX_SILENT_TRIES = 5;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 2000;

/** What appending works with. */
export interface AppendContext {
  readonly replica: Replica;
  readonly remote: JournalRemote;
  readonly signer: SegmentSigner;
  readonly pauseMs: (ms: number) => Promise<void>;
  /** As `JournalRemote.append` wants it. */
  readonly proof?: string | undefined;
  readonly along?: SendAlong | undefined;
}

/**
 * Writes a segment in the same request as what its entries depend on, and fails as `JournalRemote.append` does.
 * @returns undefined when nothing of that is left to be written: the segment goes by itself then
 */
export type SendAlong = (segment: Bytes) => Promise<JournalHead | undefined>;

/**
 * Writes what an intent wants, in as many segments as it takes, after whatever others have written meanwhile.
 * @throws {HalfkeyError} `device_untrusted` when this device may not write; `device_state_lost`, with `seq`, when what
 *   it wrote counts for nothing; `too_many_requests`; of the family unreachable when the remote stays silent (then what
 *   was written is there, or will be seen by the next `pull`); as `pull`
 * @throws {TypeError} for an operation that is malformed, or that this signer may not write
 */
export async function appendIntent(context: AppendContext, intent: Intent): Promise<void> {
  const { replica, signer } = context;
  const landed = new Map<string, number>();
  for (let tries = 0; ; tries++) {
    if (signer.device !== undefined && !replica.state.trustedDevice(signer.device)) {
      throw new HalfkeyError('device_untrusted', 'this device is not enrolled, or was revoked');
    }
    const operations = intent(replica.state);
    const wanted = encodeAll(signer, operations);
    const named = operations.find((operation) => operation.kind === 'snapshot')?.snapshot;
    const isDone = await placeAll(context, without(wanted, landed), landed, named);
    if (isDone) return;
    await context.pauseMs(jitteredMs(tries));
  }
}

/** @returns false when another device was faster */
async function placeAll(
  context: AppendContext,
  operations: readonly Bytes[],
  landed: Map<string, number>,
  named: SnapshotName | undefined,
): Promise<boolean> {
  for (const batch of batches(operations)) {
    const { replica, signer } = context;
    const key = await replica.trust.keys.provenFor(replica.state);
    const segment = await sealSegment(key, replica.head, concat(...batch), signer);
    if (!(await placeSegment(context, segment, named))) return false;
    for (const operation of batch) count(landed, operation, 1);
  }
  return true;
}

/** Puts one segment after the replica's head. The same bytes are sent again and again: never another seal of them. */
async function placeSegment(
  { replica, remote, pauseMs, proof, along }: AppendContext,
  segment: Bytes,
  named: SnapshotName | undefined,
): Promise<boolean> {
  const own = { seq: replica.nextSeq, hash: await sha256(segment) };
  for (let tries = 0; ; tries++) {
    let failure: HalfkeyError | undefined;
    try {
      const head = (await along?.(segment)) ?? (await remote.append(segment, proof, named));
      if (head.seq === own.seq && equalBytes(head.hash, own.hash)) {
        await replica.take([segment]);
        if (replica.doubtsToCome) await pull(replica, remote);
        requireCounted(replica, own.seq);
        return true;
      }
      throw new HalfkeyError(
        'broker_unreachable',
        `expected head ${String(own.seq)}, got ${String(head.seq)}`,
      );
    } catch (error) {
      failure = retriable(error);
    }
    // Whether it was written and only the reply lost, or somebody else was there first, the log itself must say.
    try {
      const { changed, watched } = await pull(replica, remote, own);
      if (watched) {
        requireCounted(replica, own.seq);
        return true;
      }
      if (changed) return false;
    } catch (error) {
      failure = retriable(error);
    }
    if (tries + 1 >= MAX_SILENT_TRIES) throw failure;
    await pauseMs(jitteredMs(tries));
  }
}

/**
 * What this device signs counts, or something is wrong with this device: it must not go on, and nothing of what was to
 * be written is done.
 */
function requireCounted({ voided }: Replica, seq: number): void {
  if (!voided.some((segment) => segment.seq === seq)) return;
  throw new HalfkeyError('device_state_lost', `segment ${String(seq)} of this device counts for nothing`, {
    detail: { seq },
  });
}

function retriable(error: unknown): HalfkeyError {
  if (!(error instanceof HalfkeyError)) throw error;
  if (error.code !== 'head_changed' && error.family !== 'unreachable') throw error;
  return error;
}

function encodeAll(signer: SegmentSigner, operations: readonly Operation[]): Bytes[] {
  const writer = signer.device === undefined ? 'identity' : 'device';
  return operations.map((operation) => {
    if (mayWrite(writer, operation.kind)) return encodeOperation(operation);
    throw new TypeError(`an operation ${operation.kind} cannot be signed by the ${writer}`);
  });
}

/** Up to 256 operations that fit into one segment. */
function* batches(operations: readonly Bytes[]): Generator<Bytes[]> {
  let batch: Bytes[] = [];
  let sizeBytes = 0;
  for (const operation of operations) {
    const isFull = batch.length === MAX_OPERATIONS || sizeBytes + operation.length > MAX_SEQUENCE_BYTES;
    if (isFull && batch.length > 0) {
      yield batch;
      batch = [];
      sizeBytes = 0;
    }
    batch.push(operation);
    sizeBytes += operation.length;
  }
  if (batch.length > 0) yield batch;
}

/** An intent that is asked again wants the same again: what has landed of it is taken out, as often as it has. */
function without(operations: readonly Bytes[], landed: ReadonlyMap<string, number>): Bytes[] {
  if (landed.size === 0) return [...operations];
  const left = new Map(landed);
  return operations.filter((operation) => {
    if ((left.get(keyOf(operation)) ?? 0) === 0) return true;
    count(left, operation, -1);
    return false;
  });
}

function count(counts: Map<string, number>, operation: Bytes, by: number): void {
  const key = keyOf(operation);
  counts.set(key, (counts.get(key) ?? 0) + by);
}

/** Bytes as characters: something that a map can compare. */
function keyOf(operation: Bytes): string {
  return new TextDecoder('latin1').decode(operation);
}

function jitteredMs(tries: number): number {
  return Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries);
}
