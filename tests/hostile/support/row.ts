import { appendFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import { isLongForm } from '../../support/long-form.ts';
import { promisedAttacks } from '../attack-table.mjs';

const SHORT_TIMEOUT_MS = 120_000;
const FULL_TIMEOUT_MS = 40 * 60_000;

/** Where the table is collected, a line of JSON for each row; nowhere when unset. */
const RESULTS = process.env['HALFKEY_HOSTILE_RESULTS'];
const PROMISED = promisedAttacks(fileURLToPath(new URL('../../..', import.meta.url)));

/** What a row says about itself in the table. */
export interface About {
  /** The attack or fault, in a few words: the test's name. */
  readonly attack: string;
  /** What is done, with which variants. */
  readonly tried: string;
  /** Which of several flows this is, where the same is tried in each. */
  readonly within?: string;
}

/** What a row's run tells the table. */
export interface Trial {
  /** Whether all variants are wanted, or the few that show the defence in seconds. */
  readonly full: boolean;
  /** So many variants of the attack were tried. */
  vary(count: number): void;
  /** A variant ended in this refusal: a stable code of client or broker, or an HTTP status. */
  refused(code: string): void;
  /**
   * The attack has no effect, and nothing that would have to be refused.
   * @param what that is true after all variants, as the table is to say it
   */
  held(what: string): void;
  /**
   * One variant, which the client must refuse with one of these codes.
   * @param attempt what the attack leads to; its value must never come
   */
  refuses(attempt: Promise<unknown>, ...codes: readonly string[]): Promise<HalfkeyError>;
}

/** One line of the table. */
interface RowResult extends About {
  readonly id: string;
  readonly status: 'ok' | 'open' | 'failed';
  readonly variants: number;
  /** Every refusal seen, each once. */
  readonly refusals: readonly string[];
  readonly held: readonly string[];
  /** What has to be built before an open row can be closed. */
  readonly missing?: string;
  readonly durationMs: number;
}

/**
 * Registers one row as a test. It fails when the run fails, when no variant was tried, when nothing was refused and
 * nothing held, or when docs/ATTACKS.md does not say the same of it.
 * @param id as in docs/ATTACKS.md; several tests may share one
 */
export function row(id: string, about: About, run: (trial: Trial) => Promise<void>): void {
  test(titleOf(id, about), { timeout: timeoutMs() }, async () => {
    expectPromised(id, about);
    const attempt = await attempted(run);
    note({ id, ...about, ...attempt.counted, status: attempt.failed ? 'failed' : 'ok' });
    if (attempt.failed) throw attempt.reason;
  });
}

/**
 * A row whose defence is missing: the same run, which must not succeed yet. It is printed as open, and fails as soon as
 * the run succeeds, because then it is to become a `row`.
 * @param missing what has to be built
 */
export function openRow(
  id: string,
  about: About & { readonly missing: string },
  run: (trial: Trial) => Promise<void>,
): void {
  test(`${titleOf(id, about)} (open)`, { timeout: timeoutMs() }, async () => {
    expectPromised(id, about);
    const attempt = await attempted(run);
    note({ id, ...about, ...attempt.counted, status: attempt.failed ? 'open' : 'failed' });
    expect(attempt.failed, 'the attack fails now: make this row a closed one').toBe(true);
  });
}

function titleOf(id: string, { attack, within }: About): string {
  return within === undefined ? `${id} ${attack}` : `${id} ${attack}: ${within}`;
}

function expectPromised(id: string, { attack, tried }: About): void {
  expect(PROMISED, 'docs/ATTACKS.md').toContainEqual({ id, attack, tried });
}

function timeoutMs(): number {
  return isLongForm ? FULL_TIMEOUT_MS : SHORT_TIMEOUT_MS;
}

type Counted = Pick<RowResult, 'variants' | 'refusals' | 'held' | 'durationMs'>;
type Attempt = { readonly counted: Counted } & (
  { readonly failed: false } | { readonly failed: true; readonly reason: unknown }
);

async function attempted(run: (trial: Trial) => Promise<void>): Promise<Attempt> {
  let variants = 0;
  const refusals = new Set<string>();
  const held = new Set<string>();
  const trial: Trial = {
    full: isLongForm,
    vary(count) {
      variants += count;
    },
    refused: (code) => void refusals.add(code),
    held: (what) => void held.add(what),
    async refuses(attempt, ...codes) {
      const error = await refusalOf(attempt);
      expect(codes, error.message).toContain(error.code);
      variants += 1;
      refusals.add(error.code);
      return error;
    },
  };
  const startedMs = performance.now();
  const counted = () => ({
    variants,
    refusals: [...refusals].sort(),
    held: [...held],
    durationMs: Math.round(performance.now() - startedMs),
  });
  try {
    await run(trial);
    expect(variants, 'variants that were tried').toBeGreaterThan(0);
    expect(refusals.size + held.size, 'refusals, or statements that held').toBeGreaterThan(0);
    return { failed: false, counted: counted() };
  } catch (reason) {
    return { failed: true, reason, counted: counted() };
  }
}

/** The error that a promise rejects with, which must be Halfkey's: any other kind is a defect of its own. */
async function refusalOf(attempt: Promise<unknown>): Promise<HalfkeyError> {
  const outcome: unknown = await attempt.then(
    () => 'nothing was refused',
    (error: unknown) => error,
  );
  if (!(outcome instanceof HalfkeyError)) {
    throw new Error('expected a refusal', { cause: outcome });
  }
  return outcome;
}

function note(result: RowResult): void {
  if (RESULTS) appendFileSync(RESULTS, `${JSON.stringify(result)}\n`);
}
