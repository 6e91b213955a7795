import { afterAll, beforeAll, expect, test } from 'vitest';
import { isLongForm } from '../../support/long-form.ts';
import { Engine, type EngineOptions, type EngineDeps } from './engine.ts';
import { expectOnceAndWhole, isInDrive, makeFile, openGround, START_MS } from './ground.ts';
import { toTop } from '../upload/picked.ts';

// A tab may die before and after each thing that it does outside of itself. Whatever the moment, the next one brings
// the file into the drive: once, and whole.
const MIB = 1024 * 1024;
const LONG_MS = 300_000;
type Side = 'before' | 'after';
/** On which sides of a step a tab dies. */
interface Sides {
  readonly perStep: number;
  at(step: number): readonly Side[];
}
const BOTH: Sides = { perStep: 2, at: () => ['before', 'after'] };
/**
 * A second per death of a large file, or in the middle of adopting. In the short form two kinds of large files share
 * the steps out, each dying at every other one, and so does who adopts.
 */
const [ODD, EVEN] = ([1, 0] as const).map((parity): Sides =>
  isLongForm
    ? BOTH
    : { perStep: 0.5, at: (step) => (step % 2 === parity ? [step % 4 < 2 ? 'before' : 'after'] : []) },
) as [Sides, Sides];

let ground: EngineDeps;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ ground, close } = await openGround('crasher'));
}, START_MS);

afterAll(() => close(), START_MS);

/** Goes on with what is stored until the file is in the drive, and sees that nothing of it is left. */
async function finish(file: File, options: EngineOptions = {}): Promise<void> {
  const { name } = file;
  const engine = new Engine(ground, options);
  await engine.uploads.resume();
  if (engine.reports.size === 0) {
    // Nothing of it is left: either it was never begun, or nothing was left to be done.
    await ground.journal.refresh();
    if (!isInDrive(ground, name)) engine.uploads.add(toTop(file));
  }
  if (engine.reports.size > 0) {
    const met = await engine.until(name, 'waiting-for-file', 'waiting-for-code', 'done');
    if (met.phase === 'waiting-for-file') await engine.uploads.again(met.transfer, file);
    await engine.adoption.now();
    await engine.until(name, 'done');
  }
  await ground.journal.refresh();
  await engine.adoption.now();
  expect(engine.failures).toEqual([]);
  expect(await ground.database.getAll('uploads')).toEqual([]);
  await expect.poll(() => [...ground.files.blobs.keys()]).toEqual([]);
  engine.crash();
  await expectOnceAndWhole(ground, file);
}

test.each([
  ['one part, open', 3000, true, undefined, BOTH],
  ['one part, locked', 3000, false, undefined, BOTH],
  ['two parts, open', 9 * MIB, true, undefined, ODD],
  ['two parts and no room, locked', 9 * MIB, false, 0, EVEN],
] as const)(
  'a file of %s arrives once and whole, wherever its tab dies',
  async (kind, sizeBytes, wasOpen, freeBytes, sides) => {
    const options = freeBytes === undefined ? {} : { freeBytes };
    const crashes = await atEachStep(async (dies, step) => {
      const file = makeFile(`${kind} ${step}`, sizeBytes);
      let isOpen = wasOpen;
      const engine = new Engine(ground, { ...options, isOpen: () => isOpen, dies });
      engine.uploads.add(toTop(file));
      await Promise.race([engine.death, engine.until(file.name, wasOpen ? 'done' : 'waiting-for-code')]);
      isOpen = true;
      engine.crash();
      await finish(file, options);
    }, sides);
    expect(crashes).toBeGreaterThan(9 * sides.perStep);
  },
  LONG_MS,
);

test(
  'what lies in the inbox is adopted once and whole, wherever the tab that adopts it dies',
  async () => {
    const crashes = await atEachStep(async (dies, step) => {
      const file = makeFile(`inbox ${step}`, 3000);
      const locked = new Engine(ground, { isOpen: () => false });
      locked.uploads.add(toTop(file));
      await locked.until(file.name, 'waiting-for-code');
      locked.crash();
      const engine = new Engine(ground, { dies });
      await engine.uploads.resume();
      await Promise.race([engine.death, engine.adoption.now()]);
      engine.crash();
      await finish(file);
    }, ODD);
    expect(crashes).toBeGreaterThan(7 * ODD.perStep);
  },
  LONG_MS,
);

/** Until a run goes through without reaching the step. @returns how often a tab died */
async function atEachStep(
  run: (dies: NonNullable<EngineOptions['dies']>, step: string) => Promise<void>,
  sides: Sides,
): Promise<number> {
  let crashes = 0;
  for (let step = 1; ; step++) {
    for (const side of sides.at(step)) {
      let deaths = 0;
      await run(
        (at) => {
          if (at !== step) return undefined;
          deaths += 1;
          return side;
        },
        `${String(step)} ${side}`,
      );
      if (deaths === 0) return crashes;
      crashes += deaths;
    }
  }
}
