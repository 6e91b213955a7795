import { firstOf } from './cbor.ts';
import { foldSequence } from './fold.ts';
import { readOperation } from './operations.ts';
import { derive, equal, isSignedBy, NO_SALT, type Bytes } from './primitives.ts';
import { demand, Refused } from './refused.ts';
import { openSequence, signedBytes, takeApart } from './segment.ts';
import { emptyState, type State } from './state.ts';

/** What a reader of a journal knows beforehand: the keyring says it. */
export interface Known {
  readonly vault: string;
  readonly account: string;
  readonly epoch: number;
  readonly vaultKey: Uint8Array;
  readonly identityPublicKey: Uint8Array;
}

/** What a journal comes to, up to the first segment that fails. */
export interface Reading {
  readonly state: State;
  /** undefined before the genesis. */
  readonly head: { readonly seq: number; readonly hash: Bytes } | undefined;
  /** Why the reading ended before the last segment. */
  readonly refusal: Refused | undefined;
}

export const journalKey = ({ vaultKey, vault }: Known): Bytes => derive(vaultKey, NO_SALT, 'journal', vault);

/** Sections 11.4 and 11.5. `seen` is called with the state after each segment. */
export function readJournal(
  known: Known,
  log: readonly Uint8Array[],
  seen: (state: State, head: { readonly seq: number; readonly hash: Bytes }) => void = () => undefined,
): Reading {
  const state = emptyState();
  let head: { seq: number; hash: Bytes } | undefined;
  for (const bytes of log) {
    try {
      head = readSegment(known, state, head, bytes);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { state, head, refusal: error };
    }
    seen(state, head);
  }
  return { state, head, refusal: undefined };
}

function readSegment(
  known: Known,
  state: State,
  head: { readonly seq: number; readonly hash: Bytes } | undefined,
  bytes: Uint8Array,
): { seq: number; hash: Bytes } {
  const seq = head === undefined ? 0 : head.seq + 1;
  const segment = takeApart(bytes);
  demand(segment.epoch === known.epoch, 'journal_corrupt', 'another epoch');
  demand(segment.seq === seq, 'journal_gap', `seq ${String(segment.seq)}, expected ${String(seq)}`);
  const sequence = openSequence(journalKey(known), known.vault, segment);
  const isIdentity = segment.writer.every((byte) => byte === 0);
  const device = isIdentity ? undefined : Buffer.from(segment.writer).toString('base64url');
  const publicKey = isIdentity ? known.identityPublicKey : trustedKey(state, device ?? '');
  demand(
    isSignedBy(publicKey, segment.signature, signedBytes(known.vault, segment)),
    'journal_corrupt',
    'signature',
  );
  demand(equal(segment.prevHash, head?.hash ?? new Uint8Array(32)), 'fork', 'another history');
  if (seq === 0) demandGenesis(known, isIdentity, sequence);
  foldSequence(state, sequence, { seq, prevHash: segment.prevHash, device });
  return { seq, hash: segment.hash };
}

function trustedKey(state: State, device: string): Bytes {
  const found = state.devices.get(device);
  demand(
    found !== undefined && found.revokedSeq === undefined,
    'device_untrusted',
    'not enrolled, or revoked',
  );
  return found.enrolment.publicKey;
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
