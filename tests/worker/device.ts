import type { Browser, BrowserContext, Page } from 'playwright';
import { expect } from 'vitest';
import type { ErrorDetail } from '../../src/lib/errors.ts';
import type { CommandName, Commands, Report } from '../../src/lib/protocol/commands.ts';
import type { DroppedChange } from '../../src/lib/protocol/drive.ts';
import type { Phase } from '../../src/lib/protocol/session.ts';
import type { Bare } from './bare/main.ts';

declare const bare: Bare;

type ReportOf<Kind extends Report['kind']> = Extract<Report, { kind: Kind }>;

/** How a device's clock differs from the right one. */
export interface TestClock {
  readonly aheadMs?: number;
  readonly speed?: number;
  readonly stoppedAtMs?: number;
}

/** A browser profile at the bare page. */
export class Device {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What went wrong in page and worker without being answered. */
  readonly faults: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    page.on('pageerror', (error) => this.faults.push(error.message));
  }

  static async open(browser: Browser, origin: string): Promise<Device> {
    const context = await browser.newContext({ baseURL: origin });
    return Device.tab(context);
  }

  /** Another tab of the same profile. */
  static async tab(context: BrowserContext): Promise<Device> {
    const device = new Device(context, await context.newPage());
    await device.page.goto('/', { waitUntil: 'load' });
    return device;
  }

  async reload(): Promise<void> {
    await this.page.reload({ waitUntil: 'load' });
  }

  /** Sends a command, which must succeed. */
  async send<Name extends CommandName>(
    command: Name,
    args: Commands[Name]['args'],
  ): Promise<Commands[Name]['result']> {
    const { result, code } = await this.#exchange(command, args);
    expect(code, `${command} fails`).toBeUndefined();
    return result as Commands[Name]['result'];
  }

  /** Sends a command, which must fail. @returns the code */
  async refused<Name extends CommandName>(command: Name, args: Commands[Name]['args']): Promise<string> {
    return (await this.#exchange(command, args)).code ?? 'nothing was refused';
  }

  /** Sends a command, which must fail. @returns the code, and what the error says besides */
  async refusal<Name extends CommandName>(
    command: Name,
    args: Commands[Name]['args'],
  ): Promise<{ code?: string; detail?: ErrorDetail }> {
    const { code, detail } = await this.#exchange(command, args);
    return { ...(code !== undefined && { code }), ...(detail && { detail }) };
  }

  /** Uploads a file of this content and waits until it is safe. */
  async upload(name: string, content: string): Promise<void> {
    await this.page.evaluate(
      async ({ name, content }) => {
        await bare.send('upload/add', {
          files: [{ source: new File([content], name, { type: 'text/plain' }), folder: '' }],
        });
      },
      { name, content },
    );
    await this.until('transfer', ({ transfer }) => transfer.name === name && transfer.phase === 'done');
  }

  async names(): Promise<string[]> {
    const { rows } = await this.send('view/rows', { from: 0, count: 100 });
    return rows.map((row) => row.name);
  }

  /** Id of the file of this name, as soon as the list has it. */
  async file(name: string): Promise<string> {
    let file: string | undefined;
    await expect
      .poll(
        async () => {
          const { rows } = await this.send('view/rows', { from: 0, count: 100 });
          file = rows.find((row) => row.name === name)?.entry;
          return file;
        },
        { timeout: 20_000, message: 'no such row came' },
      )
      .toBeDefined();
    return file!;
  }

  reports(): Promise<Report[]> {
    return this.page.evaluate(() => bare.reports);
  }

  /** The newest report of a kind; all of them are many. */
  last<Kind extends Report['kind']>(kind: Kind): Promise<ReportOf<Kind> | undefined> {
    return this.page.evaluate((kind) => bare.last(kind), kind) as Promise<ReportOf<Kind> | undefined>;
  }

  /** What was given up here, as the page is told of it. */
  async dropped(): Promise<readonly DroppedChange[]> {
    return (await this.last('changes-dropped'))?.changes ?? [];
  }

  /** The last report of a kind, as soon as it is as wanted. */
  async until<Kind extends Report['kind']>(
    kind: Kind,
    wanted: (report: ReportOf<Kind>) => boolean,
  ): Promise<void> {
    await expect
      .poll(
        async () => {
          const report = await this.last(kind);
          return report !== undefined && wanted(report);
        },
        { timeout: 20_000, message: `no such ${kind} came` },
      )
      .toBe(true);
  }

  untilPhase(phase: Phase['phase']): Promise<void> {
    return this.until('phase', (report) => report.phase.phase === phase);
  }

  untilAlarm(code: string): Promise<void> {
    return this.until('alarm', ({ failure }) => failure.code === code);
  }

  /** The id of the device's keys, as they are stored. */
  deviceId(): Promise<string | undefined> {
    return this.page.evaluate(
      () =>
        new Promise<string | undefined>((resolve) => {
          const opening = indexedDB.open('halfkey');
          opening.onsuccess = () => {
            const reading = opening.result.transaction('device').objectStore('device').getAll();
            reading.onsuccess = () => {
              opening.result.close();
              resolve((reading.result as { id: string }[])[0]?.id);
            };
          };
        }),
    );
  }

  /**
   * Puts this device's clock off, lets its time run faster, or stops its clock; to be called before anything is sent.
   */
  async setClock({ aheadMs = 0, speed = 1, stoppedAtMs }: TestClock): Promise<void> {
    const worker = this.page.workers()[0] ?? (await this.page.waitForEvent('worker'));
    await worker.evaluate(
      ({ aheadMs, speed, stoppedAtMs }) => {
        const [now, timer] = [Date.now.bind(Date), globalThis.setTimeout.bind(globalThis)];
        const beganAtMs = now();
        const running = () => beganAtMs + aheadMs + Math.round((now() - beganAtMs) * speed);
        Date.now = () => stoppedAtMs ?? running();
        const faster = (run: () => void, ms = 0) => timer(run, ms / speed);
        Object.assign(globalThis, { setTimeout: faster });
      },
      { aheadMs, speed, stoppedAtMs },
    );
  }

  #exchange(
    command: string,
    args: unknown,
  ): Promise<{ result?: unknown; code?: string; detail?: ErrorDetail }> {
    return this.page.evaluate(({ command, args }) => bare.send(command, args), { command, args });
  }
}
