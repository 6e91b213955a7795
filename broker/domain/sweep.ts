import * as v from 'valibot';
import { AccountId } from '../contract/ids.ts';
import { LIMITS } from '../contract/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { StateCursor, StateVersion, StateVersions } from '../ports/state.ts';
import type { Purger, UnfinishedUploads } from '../ports/vaults.ts';
import type { FindOrphans } from './vault/orphans.ts';
import { type Accounts, PENDING_MS } from './account/accounts.ts';
import { mapBounded } from './bounded.ts';

/**
 * Removes of the broker's own objects, and of vaults', what can no longer be used. All is decided by what was listed,
 * and exactly the listed versions go, so that a write meanwhile stays and any number of brokers may sweep at a time.
 */
export interface Sweep {
  /**
   * One turn: at most PAGES pages of each prefix, going on where the turn before ended.
   * @throws BrokerProblem of the store
   */
  run(): Promise<void>;
}

export interface SweepDeps {
  readonly versions: StateVersions;
  readonly accounts: Pick<Accounts, 'expire' | 'erase'>;
  readonly purger: Purger;
  readonly unfinished: UnfinishedUploads;
  readonly findOrphans: FindOrphans;
  readonly clock: Clock;
}

/**
 * Listed for one prefix in one turn, of 1,000 versions each: more than all networks of one site may make in the hour
 * between two turns, each of them with HALFKEY_RATE_PER_MINUTE as it comes.
 */
const PAGES = 100;
const PARALLEL = 8;
/**
 * Longer than what any of these records can mean after it was last written: a grant 5 minutes, the state of a login
 * one, a login pace 10, and, for the clocks of S3 and brokers, far more than they may differ.
 */
const DEAD_MS = 60 * 60 * 1000;

/** Parts of an upload that was not completed for so long are as good as none. */
const ORPHAN_MS = LIMITS.orphanDays * 24 * 60 * 60 * 1000;

const EVERY_MS = 60 * 60 * 1000;
/** Brokers that start together do not sweep together, and one that is often restarted sweeps all the same. */
const FIRST_WITHIN_MS = 10 * 60 * 1000;

type Rule = 'dead' | 'history' | 'accounts' | 'orphans';

/**
 * `dead`: all versions that are old enough; `history`: those of them that are not the newest; `orphans`: of vaults,
 * what nothing names.
 */
const RULES = [
  ['g/', 'dead'],
  ['l/', 'dead'],
  ['o/', 'dead'],
  ['broker/conformance/', 'dead'],
  ['m/', 'history'],
  ['a/', 'accounts'],
  ['v/', 'orphans'],
] as const satisfies readonly (readonly [string, Rule])[];

export function createSweep(deps: SweepDeps): Sweep {
  const { versions, accounts, purger, unfinished, findOrphans, clock } = deps;
  const cursors = new Map<string, StateCursor>();

  async function sweepPage(rule: Rule, page: readonly StateVersion[]): Promise<void> {
    if (rule === 'orphans') {
      await versions.erase(await findOrphans(page));
      return;
    }
    const now = clock();
    const old = page.filter(({ modifiedMs }) => modifiedMs + DEAD_MS < now);
    await versions.erase(rule === 'dead' ? old : old.filter(({ isLatest }) => !isLatest));
    if (rule !== 'accounts') return;
    const waiting = page.filter(({ isLatest, modifiedMs }) => isLatest && modifiedMs + PENDING_MS < now);
    await mapBounded(waiting, PARALLEL, ({ key }) => removeUnlessActive(key));
  }

  /** A sign-up that waited too long becomes unable to become active, by a conditional write, and only then goes. */
  async function removeUnlessActive(key: string): Promise<void> {
    const account = v.safeParse(AccountId, key.slice('a/'.length));
    const expired = account.success ? await accounts.expire(account.output, clock()) : undefined;
    if (!account.success || !expired) return;
    const vaults = expired.vaults.flatMap((vault) => [`v/${vault}/`, `m/${vault}`]);
    // The account is the last, so that a turn that was cut off is taken up by the next.
    const kept = await purger.eraseBelow([...vaults, `e/${account.output}/`]);
    if (kept.length > 0) return;
    await accounts.erase(account.output);
  }

  async function sweepPrefix(prefix: string, rule: Rule): Promise<void> {
    let next = cursors.get(prefix);
    for (let page = 0; page < PAGES; page += 1) {
      const listed = await versions.list(prefix, next);
      await sweepPage(rule, listed.versions);
      next = listed.next;
      if (!next) break;
    }
    if (next) cursors.set(prefix, next);
    else cursors.delete(prefix);
  }

  return {
    async run() {
      const rules = RULES.map(
        ([prefix, rule]) =>
          () =>
            sweepPrefix(prefix, rule),
      );
      const faults: unknown[] = [];
      // What one prefix meets keeps none of the others from being swept.
      for (const turn of [...rules, () => unfinished.endBefore(clock() - ORPHAN_MS)]) {
        await turn().catch((fault: unknown) => faults.push(fault));
      }
      if (faults.length > 0) throw faults[0] as Error;
    },
  };
}

/**
 * Sweeps every hour, one turn after the other, until the returned function is called.
 * @param onFault a turn that failed; the next takes up what it left
 */
export function startSweeping(sweep: Sweep, onFault: (error: unknown) => void): () => void {
  let timer: NodeJS.Timeout;
  let stopped = false;
  const wait = (ms: number): void => {
    timer = setTimeout(() => void turn(), ms).unref();
  };
  const turn = async (): Promise<void> => {
    await sweep.run().catch(onFault);
    if (!stopped) wait(EVERY_MS);
  };
  wait(Math.random() * FIRST_WITHIN_MS);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
