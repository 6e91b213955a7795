import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FromWorker, Report, ToWorker } from '../../src/lib/protocol/commands.ts';
import { refusal, refusalCode } from '../crypto/refusal.ts';
import { WorkerHost } from '../../src/lib/worker/host.ts';

vi.mock('../../src/lib/worker/scripts.ts', () => ({ scriptUrl: (url: string) => url }));

let workers: TestWorker[];
let reports: Report[];

class TestWorker extends EventTarget {
  readonly heard: [ToWorker, Transferable[]][] = [];
  readonly options: WorkerOptions;

  constructor(_url: string, options: WorkerOptions) {
    super();
    this.options = options;
    workers.push(this);
  }
  postMessage(message: ToWorker, transfer: Transferable[]): void {
    this.heard.push([message, transfer]);
  }
  say(data: FromWorker): void {
    this.dispatchEvent(new MessageEvent('message', { data }));
  }
}

/** Node has none. */
class TestErrorEvent extends Event {}

beforeEach(() => {
  [workers, reports] = [[], []];
  vi.stubGlobal('Worker', TestWorker);
  vi.stubGlobal('ErrorEvent', TestErrorEvent);
});
afterEach(() => {
  vi.unstubAllGlobals();
});
const newHost = () => new WorkerHost((report) => reports.push(report));
const worker = () => workers[0]!;

describe('commands', () => {
  it('are each answered by the answer of their number, in whatever order', async () => {
    const host = newHost();
    const [first, second] = [host.send('settings/read', {}), host.send('start/read', {})];
    const [one, two] = worker().heard.map(([{ id }]) => id);
    worker().say({ kind: 'answer', id: two!, result: { asksPassphrase: true } });
    worker().say({ kind: 'answer', id: one!, result: { parallel: 4, wifiOnly: false } });
    expect(await first).toEqual({ parallel: 4, wifiOnly: false });
    expect(await second).toEqual({ asksPassphrase: true });
  });

  it('go over with what is to be handed over', () => {
    const buffer = new ArrayBuffer(1);
    void newHost().send('lock', {}, [buffer]);
    expect(worker().heard).toEqual([[{ id: 1, command: 'lock', args: {} }, [buffer]]]);
    expect(worker().options.type).toBe('module');
  });

  it('fail as the worker says', async () => {
    const failing = refusal(newHost().send('lock', {}));
    worker().say({
      ...{ kind: 'failure', id: 1 },
      failure: { code: 'segment_corrupt', detail: { segmentIndex: 7 } },
    });
    expect(await failing).toMatchObject({ code: 'segment_corrupt', detail: { segmentIndex: 7 } });
  });

  it('pay no heed to an answer to nothing', () => {
    newHost();
    expect(() => {
      worker().say({ kind: 'answer', id: 99, result: undefined });
    }).not.toThrow();
  });
});

describe('reports', () => {
  it('are handed on, and settle nothing', () => {
    const host = newHost();
    let settled = false;
    void host.send('lock', {}).finally(() => (settled = true));
    const report: Report = { kind: 'connection', online: false };
    worker().say({ kind: 'report', report });
    expect([reports, settled]).toEqual([[report], false]);
  });
});

describe('a worker that does not start', () => {
  it.each([
    ['could not be fetched', new Event('error'), 'app_unreachable'],
    ['does not run', new TestErrorEvent('error'), 'browser_lacks'],
  ])('since its script %s, fails every command, rather than letting it wait', async (_, event, code) => {
    const host = newHost();
    const failing = [refusalCode(host.send('lock', {})), refusalCode(host.send('boot', {}))];
    worker().dispatchEvent(event);
    expect(await Promise.all(failing)).toEqual([code, code]);
    expect(await refusalCode(host.send('active', {}))).toBe(code);
  });

  it('is told at once where the browser gives none', async () => {
    vi.stubGlobal('Worker', function () {
      throw new TypeError('not here');
    });
    const error = await refusal(newHost().send('lock', {}));
    expect(error).toMatchObject({ code: 'browser_lacks', detail: { feature: 'Worker' } });
  });
});
