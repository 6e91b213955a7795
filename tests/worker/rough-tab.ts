import type { Factor } from '../../src/lib/protocol/session.ts';
import type { Bare } from './bare/main.ts';
import type { Device } from './device.ts';
import type { Logbook, TriedRename, TriedUpload } from './logbook.ts';
import type { Person } from './people.ts';
import type { Random } from './rough-line.ts';

declare const bare: Bare;

/** What the tabs of an account share. */
export interface Crowd {
  readonly log: Logbook;
  readonly person: Person;
  /** Files that everybody likes to rename. */
  readonly liked: string[];
}

/** What is done once in a while, instead of a rename or an upload. */
export type Rare = 'lock' | 'unlock' | 'purge' | 'reload';

/** Of operations: renames; the others are uploads. */
const RENAMES = 0.6;
/** Of renames: of files that the other device renames too. */
const LIKED = 0.2;
/** Of names: such as others want too. */
const SAME_NAME = 0.1;
/** Longest time from the beginning of an operation to a reload in it. */
const INTO_IT_MS = 25;
const LONGEST_PAUSE_MS = 60;
/** That somebody types for one thing. */
const MOST_CODES = 3;
const NO_FILE = '';

/** One tab in which somebody does things at random. */
export class RoughTab {
  readonly tab: Device;
  /** Id of its device. */
  readonly device: string;
  readonly #reloads: number;
  readonly #crowd: Crowd;
  readonly #random: Random;
  /** While one page goes and the next one comes. */
  #isGoing = false;

  /**
   * @param on.device its id
   * @param on.reloads of operations: with the tab reloaded in the middle, and so locked from then on
   */
  constructor(
    tab: Device,
    on: { readonly device: string; readonly reloads: number },
    crowd: Crowd,
    random: Random,
  ) {
    this.tab = tab;
    this.device = on.device;
    this.#reloads = on.reloads;
    this.#crowd = crowd;
    this.#random = random;
  }

  /** So many operations, one after the other. @param rare by their places */
  async work(operations: number, rare: ReadonlyMap<number, Rare>): Promise<void> {
    for (let place = 0; place < operations; place++) {
      const kind = rare.get(place);
      if (kind && kind !== 'reload') await this.#doRare(kind);
      else {
        const isCutShort = kind === 'reload' || this.#random() < this.#reloads;
        const doing = this.#random() < RENAMES ? this.#rename() : this.upload();
        if (isCutShort) {
          await Promise.race([doing, this.#pause(INTO_IT_MS)]);
          await this.#reload();
        }
        await doing;
      }
      await this.#pause(LONGEST_PAUSE_MS);
    }
  }

  async upload(): Promise<void> {
    const { log } = this.#crowd;
    const sizeBytes = log.next();
    const name = this.#random() < SAME_NAME ? 'same.bin' : `uploaded ${String(sizeBytes)}.bin`;
    const tried: TriedUpload = { name, sizeBytes, isAcknowledged: false };
    log.uploads.push(tried);
    await this.#pick(tried, undefined);
  }

  /** Picks the files again that were not taken in whole. */
  async pickAgain(): Promise<void> {
    const asked = await this.tab.page.evaluate(() => {
      const last = new Map<string, { transfer: string; sizeBytes: number; phase: string }>();
      for (const report of bare.reports)
        if (report.kind === 'transfer') last.set(report.transfer.transfer, report.transfer);
      return [...last.values()].filter(({ phase }) => phase === 'waiting-for-file');
    });
    for (const { transfer, sizeBytes } of asked) {
      const tried = this.#crowd.log.uploads.find((each) => each.sizeBytes === sizeBytes);
      if (!tried) throw new Error(`nobody picked a file of ${String(sizeBytes)} bytes`);
      await this.#pick(tried, transfer);
    }
  }

  async #rename(): Promise<void> {
    const { log, liked } = this.#crowd;
    const number = log.next();
    const isLiked = this.#random() < LIKED;
    const file = isLiked ? liked[Math.floor(this.#random() * liked.length)] : await this.#anyFile();
    if (file === undefined) return;
    if (file === NO_FILE) {
      await this.upload();
      return;
    }
    const same = `same ${String(Math.floor(number / 40))}.txt`;
    const isSame = this.#random() < SAME_NAME && !log.knows(file, same);
    const name = isSame ? same : `renamed ${String(number)}.txt`;
    const tried: TriedRename = { device: this.device, file, name, isAcknowledged: false };
    log.renames.push(tried);
    const code = await this.#unlessReloaded(
      async ({ file, name }) => (await bare.send('entry/rename', { entry: file, name })).code ?? 'done',
      { file, name },
    );
    tried.isAcknowledged = code === 'done';
  }

  /** One of those that the list shows; undefined when the page went before it said one. */
  async #anyFile(): Promise<string | undefined> {
    const files = await this.#unlessReloaded(async (share) => {
      const view = bare.reports.findLast((report) => report.kind === 'view');
      const from = Math.floor(share * (view?.total ?? 0));
      const { result } = await bare.send('view/rows', { from, count: 1 });
      return ((result as { rows: { file: string }[] } | undefined)?.rows ?? []).map(({ file }) => file);
    }, this.#random());
    return files && (files[0] ?? NO_FILE);
  }

  /** Picks a file, and waits until the page is told that it is safe. */
  async #pick(tried: TriedUpload, transfer: string | undefined): Promise<void> {
    const { name, sizeBytes } = tried;
    const file = await this.#unlessReloaded(
      async ({ name, sizeBytes, transfer }) => {
        const bytes = Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 7 + sizeBytes) % 256);
        const file = new File([bytes], name, { lastModified: 1_700_000_000_000 });
        const begun = bare.reports.length;
        if (transfer === undefined) await bare.send('upload/add', { files: [{ source: file, folder: '' }] });
        else await bare.send('upload/again', { transfer, file });
        for (;;) {
          const said = bare.reports
            .slice(begun)
            .findLast((report) => report.kind === 'transfer' && report.transfer.sizeBytes === sizeBytes);
          if (said?.kind === 'transfer' && said.transfer.isSafe) return said.transfer.transfer;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      },
      { name, sizeBytes, transfer },
    );
    if (file === undefined) return;
    tried.isAcknowledged = true;
    tried.file = file;
  }

  async #doRare(kind: Exclude<Rare, 'reload'>): Promise<void> {
    const { log } = this.#crowd;
    if (kind === 'lock') {
      await this.tab.send('lock', {});
      log.counts.locks++;
    } else if (kind === 'unlock') {
      const outcome = await this.#insist((factor) => this.tab.refusal('unlock', { factor }));
      if (outcome === 'done') log.counts.unlocks++;
    } else {
      const file = await this.#anyFile();
      if (file === undefined || file === NO_FILE) return;
      const tried: (typeof log.purges)[number] = { file };
      log.purges.push(tried);
      tried.outcome = await this.#insist((factor) =>
        this.tab.refusal('entries/purge', { entries: [file], also: [], factor }),
      );
    }
  }

  /**
   * Until somebody answers, and with another code once the first is spent: it is, too, when only its reply was lost.
   */
  async #insist(ask: (factor: Factor) => Promise<{ code?: string }>): Promise<string> {
    const { factor, authenticator } = this.#crowd.person;
    let typed: Factor = factor();
    for (let codes = 1; ;) {
      const { code = 'done' } = await ask(typed);
      const isSpent = code === 'backup_code_refused' || code === 'code_wrong';
      if (isSpent && codes++ < MOST_CODES) typed = { code: await authenticator.code() };
      else if (code !== 'broker_unreachable') return code;
      await this.#pause(LONGEST_PAUSE_MS);
    }
  }

  async #reload(): Promise<void> {
    this.#isGoing = true;
    await this.tab.reload();
    this.#isGoing = false;
    await this.tab.send('boot', {});
    this.#crowd.log.counts.reloads++;
  }

  async #pause(longestMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.#random() * longestMs));
  }

  /** What was under way in a page that is reloaded never says what became of it. */
  async #unlessReloaded<Args, Result>(
    work: (args: Args) => Promise<Result>,
    args: Args,
  ): Promise<Result | undefined> {
    const isGoing = () => this.#isGoing;
    if (isGoing()) return undefined;
    try {
      return await this.tab.page.evaluate(work as never, args as never);
    } catch (error) {
      if (isGoing()) return undefined;
      throw error;
    }
  }
}
