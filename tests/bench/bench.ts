import { broker } from './contests/broker.ts';
import { FULL, QUICK, type Contest } from './contests/contest.ts';
import { files } from './contests/files.ts';
import { journal } from './contests/journal.ts';
import { memory } from './contests/memory.ts';
import { sealing } from './contests/sealing.ts';
import { table, type Figure } from './figure.ts';
import { openGround, type Ground } from './ground.ts';
import { versions } from './versions.ts';

const CONTESTS: ReadonlyMap<string, Contest> = new Map(
  Object.entries({ sealing, files, memory, journal, broker }),
);
const QUICKLY = '--quick';

/**
 * Runs the contests that are named, or all, and prints what came of them. A figure that falls short is told and is no
 * error.
 * @throws {Error} when something cannot be measured: a server that does not start, output that does not open to what
 *   was sealed
 */
async function bench(pageFolder: string, args: readonly string[]): Promise<void> {
  const sizes = args.includes(QUICKLY) ? QUICK : FULL;
  const named = args.filter((arg) => arg !== QUICKLY);
  const unknown = named.find((name) => !CONTESTS.has(name));
  if (unknown !== undefined)
    throw new Error(`expected ${QUICKLY} or one of ${[...CONTESTS.keys()].join(', ')}, got ${unknown}`);
  const figures: Figure[] = [];
  const errors: unknown[] = [];
  console.log(`${await onGround(pageFolder, {}, (ground) => browserVersion(ground))}\n`);
  for (const [name, contest] of CONTESTS) {
    if (named.length > 0 && !named.includes(name)) continue;
    console.error(`… ${name}`);
    const { run, ...options } = contest;
    // What was measured is printed whatever becomes of the others.
    await onGround(pageFolder, options, (ground) => run(ground, sizes)).then(
      (more) => figures.push(...more),
      (error: unknown) => errors.push(error),
    );
  }
  console.log(table(figures));
  if (errors.length > 0) throw new AggregateError(errors, `${String(errors.length)} contests failed`);
}

async function browserVersion(ground: Ground): Promise<string> {
  return versions((await ground.openPage()).version, 'package-lock.json');
}

async function onGround<Result>(
  pageFolder: string,
  options: { brokerCore?: number },
  work: (ground: Ground) => Promise<Result>,
): Promise<Result> {
  const ground = await openGround(pageFolder, options);
  try {
    return await work(ground);
  } finally {
    await ground.close();
  }
}

const [pageFolder = '', ...args] = process.argv.slice(2);
await bench(pageFolder, args);
