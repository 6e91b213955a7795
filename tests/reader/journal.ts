import { firstOf } from './cbor.ts';
import { openFloe } from './floe.ts';
import { doubtsOf, foldDoubted, foldSequence } from './fold.ts';
import { readOperation } from './operations.ts';
import { aad, derive, equal, isSignedBy, NO_SALT, sha256, u32be, type Bytes } from './primitives.ts';
import { demand, Refused } from './refused.ts';
import { openPadded, signedBytes, takeApart, unpadded, type Segment } from './segment.ts';
import { emptyState, type State } from './state.ts';

/** What a reader of a journal knows beforehand: the keyring says it. */
export interface Known {
  readonly vault: string;
  readonly account: string;
  /** Of the first key; 0. */
  readonly epoch: number;
  readonly vaultKey: Uint8Array;
  readonly identityPublicKey: Uint8Array;
  /** The keys of the epochs 1, 2, …, each with the object that holds the one before, sealed under it. */
  readonly turned?: readonly { readonly vaultKey: Uint8Array; readonly object: Uint8Array }[];
}

/** Section 11.4: a segment that counts for nothing. */
interface Void {
  readonly seq: number;
  /** undefined for the identity key. */
  readonly device: string | undefined;
  readonly isSigned: boolean;
}

interface Head {
  readonly seq: number;
  readonly hash: Bytes;
}

/** What a journal comes to, up to the first segment that fails. */
export interface Reading {
  readonly state: State;
  /** undefined before the genesis. */
  readonly head: Head | undefined;
  /** Why the reading ended before the last segment. */
  readonly refusal: Refused | undefined;
  readonly voids: readonly Void[];
}

export const journalKey = ({ vaultKey, vault }: Pick<Known, 'vaultKey' | 'vault'>): Bytes =>
  derive(vaultKey, NO_SALT, 'journal', vault);

/** Section 11.4: the vault key that opens a segment of an epoch. */
export function vaultKeyOf(known: Known, epoch: number): Uint8Array | undefined {
  return epoch === 0 ? known.vaultKey : known.turned?.[epoch - 1]?.vaultKey;
}

/**
 * Sections 11.4 and 11.5. `seen` is called with the state after each segment; again from the first one, where all is
 * folded anew.
 */
export function readJournal(
  known: Known,
  log: readonly Uint8Array[],
  seen: (state: State, head: Head) => void = () => undefined,
): Reading {
  let doubts: ReadonlyMap<string, number> = new Map();
  for (;;) {
    const reading = readWith(known, log, doubts, seen);
    if (reading.doubts === undefined) return reading;
    doubts = reading.doubts;
  }
}

function readWith(
  known: Known,
  log: readonly Uint8Array[],
  doubts: ReadonlyMap<string, number>,
  seen: (state: State, head: Head) => void,
): Reading & { readonly doubts?: ReadonlyMap<string, number> } {
  const state = emptyState();
  const voids: Void[] = [];
  let head: Head | undefined;
  for (const bytes of log) {
    let judged: Judged;
    try {
      judged = judge(known, state, head, bytes);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { state, head, refusal: error, voids };
    }
    const { segment, device, sequence } = judged;
    const at = { seq: segment.seq, prevHash: segment.prevHash, device };
    const since = doubts.get(device ?? '');
    if (sequence === undefined) {
      state.skipped += 1;
      if (judged.isVoid) voids.push({ seq: segment.seq, device, isSigned: judged.isSigned });
    } else if (since !== undefined && segment.seq >= since) foldDoubted(state, sequence, at);
    else {
      const more = doubtsOf(state, sequence, at, doubts);
      if (more !== undefined) return { state, head, refusal: undefined, voids, doubts: more };
      foldSequence(state, sequence, at);
    }
    head = { seq: segment.seq, hash: segment.hash };
    seen(state, head);
  }
  return { state, head, refusal: undefined, voids };
}

interface Judged {
  readonly segment: Segment;
  readonly device: string | undefined;
  readonly isSigned: boolean;
  readonly isVoid: boolean;
  /** undefined where no operation counts. */
  readonly sequence: Bytes | undefined;
}

function judge(known: Known, state: State, head: Head | undefined, bytes: Uint8Array): Judged {
  const seq = head === undefined ? 0 : head.seq + 1;
  const segment = takeApart(bytes);
  demand(segment.seq === seq, 'journal_gap', `seq ${String(segment.seq)}, expected ${String(seq)}`);
  const epoch = state.epochs.at(-1)?.turn.epoch ?? 0;
  demand(isProven(known, state), 'epoch_key_missing', `no key of epoch ${String(epoch)}`);
  const isIdentity = segment.writer.every((byte) => byte === 0);
  const device = isIdentity ? undefined : Buffer.from(segment.writer).toString('base64url');
  const enrolled = device === undefined ? undefined : state.devices.get(device);
  const publicKey = isIdentity ? known.identityPublicKey : enrolled?.enrolment.publicKey;
  const isSigned =
    publicKey !== undefined && isSignedBy(publicKey, segment.signature, signedBytes(known.vault, segment));
  const isTrusted = isSigned && enrolled?.revoked === undefined;
  if (!equal(segment.prevHash, head?.hash ?? new Uint8Array(32))) {
    throw new Refused(isTrusted ? 'fork' : 'journal_corrupt', 'another history');
  }
  const key = vaultKeyOf(known, epoch) ?? new Uint8Array(32);
  const plaintext =
    isTrusted && segment.epoch === epoch
      ? openPadded(journalKey({ ...known, vaultKey: key }), known.vault, segment)
      : undefined;
  const sequence = plaintext && unpadded(plaintext);
  if (seq === 0) demandGenesis(known, isIdentity, sequence ?? new Uint8Array(0));
  return { segment, device, isSigned, isVoid: plaintext === undefined, sequence };
}

/** Section 11.4: whether the key of what comes next is one that the chain vouches for. */
function isProven(known: Known, state: State): boolean {
  const last = state.epochs.at(-1);
  if (last === undefined) return true;
  const { epoch, rotation, hash } = last.turn;
  const held = known.turned?.[epoch - 1];
  const before = vaultKeyOf(known, epoch - 1);
  if (held === undefined || before === undefined || !equal(sha256(held.object), hash)) return false;
  const key = derive(held.vaultKey, NO_SALT, 'previous-key', known.vault, u32be(epoch));
  try {
    return equal(openFloe(key, aad('previous-key', known.vault, rotation, epoch), held.object), before);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return false;
  }
}

function demandGenesis(known: Known, isIdentity: boolean, sequence: Uint8Array): void {
  const genesis = readOperation(firstOf(sequence)?.[0]);
  demand(isIdentity && genesis?.kind === 'genesis', 'journal_corrupt', 'no genesis');
  demand(
    genesis.vault === known.vault &&
      genesis.account === known.account &&
      equal(genesis.identityPublicKey, known.identityPublicKey),
    'journal_corrupt',
    'the genesis of another vault',
  );
}

const ALPHABET = 'abcdefghjkmnpqrstuvwxyz023456789';

/** Section 11.6. */
export function headPhrase({ seq, hash }: { readonly seq: number; readonly hash: Uint8Array }): string {
  const bits = [...hash].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = Array.from({ length: 20 }, (_, index) =>
    ALPHABET.charAt(Number.parseInt(bits.slice(index * 5, index * 5 + 5), 2)),
  );
  return `${String(seq)} · ${(letters.join('').match(/.{4}/g) ?? []).join(' ')}`;
}
