import { randomBytes } from 'node:crypto';
import type { AccountRecord } from '../account/accounts.ts';
import type { Session } from '../account/session.ts';
import { BrokerProblem } from '../problem.ts';
import { sha256B64url } from '../state/record-codec.ts';

/** For so long after passphrase or kit, and a code, a session may do what only their owner may. */
const PROOF_MS = 10 * 60 * 1000;

/** A session with what it was answered for passphrase or kit, and a code. */
export interface Prover {
  readonly session: Session;
  /** 32 bytes, base64url. */
  readonly proof: string;
}

/** What a live session keeps of a proof. */
export interface KeptProof {
  readonly hash: string;
  readonly atMs: number;
}

/** 32 random bytes, base64url. */
export function newProof(): string {
  return randomBytes(32).toString('base64url');
}

export function keptProof(proof: string, nowMs: number): KeptProof {
  return { hash: hashOf(proof), atMs: nowMs };
}

/** @throws BrokerProblem `proof_missing` unless this session was answered this proof within ten minutes */
export function requireProof(
  { sessions }: AccountRecord,
  { session: { sessionId }, proof }: Prover,
  nowMs: number,
): void {
  const known = sessions.find(({ id }) => id === sessionId)?.proof;
  const isOver = !known || nowMs - known.atMs >= PROOF_MS;
  // Of what is secret only the hashes meet.
  if (isOver || known.hash !== hashOf(proof)) throw new BrokerProblem('proof_missing');
}

function hashOf(proof: string): string {
  return sha256B64url(Buffer.from(proof, 'base64url'));
}
