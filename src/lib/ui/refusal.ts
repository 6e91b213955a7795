import { FAMILIES, type ErrorCode } from '../errors.ts';
import { failureOf } from '../platform/crypto-worker.ts';
import type { Failure } from '../protocol/failure.ts';

/** A failure as a form keeps it: what it was, and since when its waits count. */
export interface Refusal {
  readonly failure: Failure;
  readonly atMs: number;
}

/** What just failed, for a form to show. */
export function refusalOf(error: unknown): Refusal {
  return { failure: failureOf(error), atMs: Date.now() };
}

/** Failures that a field for codes shows itself; all others belong to the form around it. */
const OF_THE_CODE: readonly ErrorCode[] = [
  'code_malformed',
  'code_wrong',
  'code_used',
  'code_locked',
  'backup_code_refused',
];

export function concernsCode({ failure }: Refusal): boolean {
  return OF_THE_CODE.includes(failure.code);
}

/** The refusal if it is one of these, for the field that they are about. */
export function refusedFor(
  refusal: Refusal | undefined,
  ...codes: readonly ErrorCode[]
): Refusal | undefined {
  return refusal && codes.includes(refusal.failure.code) ? refusal : undefined;
}

/** The server may have taken it, and its answer is lost: there is no telling from here. */
export function isUnsure(refusal: Refusal | undefined): boolean {
  return refusal !== undefined && FAMILIES[refusal.failure.code] === 'unreachable';
}

/** How long the halves take to join, with a moment to see it; nothing when motion is not wanted. */
export async function whileHalvesJoin(): Promise<void> {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  await new Promise((resolve) => setTimeout(resolve, 260));
}
