import { expect } from 'vitest';
import type { Report } from '../../src/lib/protocol/commands.ts';
import type { Bare } from './bare/main.ts';
import type { Device } from './device.ts';
import { Logbook } from './logbook.ts';
import type { Person, Worlds } from './people.ts';
import { RoughLine, seeded } from './rough-line.ts';
import { RoughTab, type Crowd, type Rare } from './rough-tab.ts';

declare const bare: Bare;

/** Files that are there before the lines get rough. */
const FIRST_FILES = 6;
/** Of a second tab's operations; a first one is reloaded before it is unlocked again, codes being few. */
const RELOADS = 0.03;

/** Two devices of one account with two tabs each, all of which do things at random while their lines come and go. */
export class RoughCrowd {
  readonly log: Logbook;
  readonly person: Person;
  readonly tabs: readonly Device[];
  readonly lines: readonly RoughLine[];
  readonly #rough: readonly RoughTab[];

  private constructor(log: Logbook, person: Person, rough: readonly RoughTab[], lines: readonly RoughLine[]) {
    this.log = log;
    this.person = person;
    this.tabs = rough.map(({ tab }) => tab);
    this.lines = lines;
    this.#rough = rough;
  }

  static async gather(worlds: Worlds, seed: number): Promise<RoughCrowd> {
    const random = seeded(seed);
    const next = () => seeded(random() * 2 ** 32);
    const log = new Logbook();
    const devices = [await worlds.newDevice(), await worlds.newDevice()] as const;
    await Promise.all(devices.map((device) => listen(device, log)));
    const person = await worlds.signUp(devices[0]);
    await worlds.signIn(devices[1], person);
    const crowd: Crowd = { log, person, liked: [] };
    const rough: RoughTab[] = [];
    for (const device of devices) {
      const id = (await device.deviceId()) ?? '';
      rough.push(new RoughTab(device, { device: id, reloads: 0 }, crowd, next()));
      const second = await worlds.newTab(device);
      rough.push(new RoughTab(second, { device: id, reloads: RELOADS }, crowd, next()));
    }
    for (let files = 0; files < FIRST_FILES; files++) await rough[0]?.upload();
    for (const { tab } of rough)
      await expect.poll(async () => (await tab.names()).length, { timeout: 20_000 }).toBe(FIRST_FILES);
    crowd.liked.push(...log.uploads.flatMap(({ file }) => file ?? []));
    const { origin } = worlds.stack;
    const lines = [];
    for (const { context } of devices) lines.push(await RoughLine.lay(context, origin, next()));
    return new RoughCrowd(log, person, rough, lines);
  }

  /** @param rare for each tab: what is done once in a while, by the share of its operations that comes before */
  async work(operations: number, rare: readonly (readonly (readonly [number, Rare])[])[]): Promise<void> {
    const doing = this.#rough.map((tab, index) => {
      const places = (rare[index] ?? []).map(
        ([share, kind]) => [Math.floor(share * operations), kind] as const,
      );
      return tab.work(operations, new Map(places));
    });
    await Promise.all(doing);
  }

  /** The network is back to stay, somebody has a code, and picks again what was not taken in whole. */
  async comeToRest(): Promise<void> {
    for (const line of this.lines) await line.mend();
    // Of backup codes one session may try but a few in a row.
    await this.tabs[0]?.send('unlock', { factor: { code: await this.person.authenticator.code() } });
    for (const tab of this.#rough) await tab.pickAgain();
    for (const tab of this.tabs) await tab.send('upload/wake', {});
  }

  /** What was given up, on each device once. */
  async dropped(): Promise<{ readonly device: string; readonly name: string }[]> {
    const all = new Map<string, { device: string; name: string }>();
    for (const { tab, device } of this.#rough)
      for (const { key, name } of await tab.dropped()) all.set(`${device} ${String(key)}`, { device, name });
    return [...all.values()];
  }

  /** What is not in the drive yet: records that rest on the devices, and what the tabs say of it. */
  async unfinished(): Promise<string[]> {
    const all = await Promise.all(this.tabs.map((tab) => unfinishedOf(tab)));
    return all.flat();
  }
}

/** What was not expected is heard from every tab, also what it says right before it is reloaded. */
async function listen(device: Device, log: Logbook): Promise<void> {
  await device.context.exposeBinding('tellTest', (_, report: Report) => {
    log.hear(report);
  });
  await device.context.addInitScript(() => {
    const { tellTest } = globalThis as unknown as { tellTest: (report: Report) => Promise<void> };
    const isHeard = (report: Report) =>
      report.kind === 'alarm' || (report.kind === 'transfer' && report.transfer.phase === 'failed');
    let held: Bare | undefined;
    Object.defineProperty(globalThis, 'bare', {
      get: () => held,
      set(made: Bare) {
        held = made;
        const push = made.reports.push.bind(made.reports);
        made.reports.push = (...said) => {
          for (const report of said) if (isHeard(report)) void tellTest(report);
          return push(...said);
        };
      },
    });
  });
  await device.reload();
  await device.send('boot', {});
}

async function unfinishedOf(tab: Device): Promise<string[]> {
  const { rows } = await tab.send('view/rows', { from: 0, count: 100_000 });
  const shown = rows.filter(({ isPending }) => isPending).map(({ name }) => `shown as pending: ${name}`);
  const rest = await tab.page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const opening = indexedDB.open('halfkey');
      opening.onsuccess = () => {
        resolve(opening.result);
      };
    });
    const count = (store: string) =>
      new Promise<number>((resolve) => {
        const counting = database.transaction(store).objectStore(store).count();
        counting.onsuccess = () => {
          resolve(counting.result);
        };
      });
    const counts = { uploads: await count('uploads'), changes: await count('changes') };
    database.close();
    const told = bare.reports.findLast((report) => report.kind === 'changes-dropped');
    counts.changes -= told?.changes.length ?? 0;
    const last = new Map<string, { name: string; phase: string }>();
    for (const report of bare.reports)
      if (report.kind === 'transfer') last.set(report.transfer.transfer, report.transfer);
      else if (report.kind === 'transfer-gone') last.delete(report.transfer);
    const open = [...last.values()].filter(({ phase }) => phase !== 'done');
    return [
      ...Object.entries(counts).flatMap(([store, n]) => (n > 0 ? [`${store} that rest: ${String(n)}`] : [])),
      ...open.map(({ name, phase }) => `upload ${phase}: ${name}`),
    ];
  });
  return [...shown, ...rest];
}
