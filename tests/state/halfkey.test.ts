import './runes.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { askToKeepOnce } from '../../src/lib/platform/persistence.ts';
import { sendUploadsLater } from '../../src/lib/platform/service-worker.ts';
import type { Report } from '../../src/lib/protocol/commands.ts';
import type { Phase } from '../../src/lib/protocol/session.ts';
import type { TransferReport } from '../../src/lib/protocol/transfer.ts';
import { Halfkey } from '../../src/lib/state/halfkey.svelte.ts';
import { viewReport } from './view-report.ts';

const { host } = vi.hoisted(() => {
  const answers: Record<string, unknown> = {
    'kit/read': { unkept: ['words'] },
    'entries/purge': { count: 1 },
  };
  return { host: { answers, sent: [] as unknown[], report: (_report: unknown): void => undefined } };
});
vi.mock('../../src/lib/worker/host.ts', () => ({
  WorkerHost: class {
    constructor(onReport: (report: unknown) => void) {
      host.report = onReport;
    }
    send(name: string, args: unknown) {
      host.sent.push([name, args]);
      return Promise.resolve(host.answers[name]);
    }
  },
}));
vi.mock('../../src/lib/platform/persistence.ts');
vi.mock('../../src/lib/platform/service-worker.ts', () => ({
  activeServiceWorker: vi.fn(),
  sendUploadsLater: vi.fn(),
}));

let halfkey: Halfkey;

beforeEach(() => {
  vi.resetAllMocks();
  vi.mocked(askToKeepOnce).mockResolvedValue();
  vi.mocked(sendUploadsLater).mockResolvedValue();
  vi.useFakeTimers();
  for (const name of ['addEventListener', 'matchMedia']) vi.stubGlobal(name, () => ({ matches: false }));
  vi.stubGlobal('navigator', {});
  host.sent.length = 0;
  halfkey = new Halfkey();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const report = (said: Report) => {
  host.report(said);
};
const enter = (phase: Phase['phase']) => {
  report({
    kind: 'phase',
    phase: phase === 'open' ? { phase, expiresAtMs: 1, releases: 1 } : { phase },
  });
};
const transfer = (more: Partial<TransferReport>): void => {
  report({
    kind: 'transfer',
    transfer: {
      ...{ transfer: 't', direction: 'up', name: 'a.txt', phase: 'uploading', doneBytes: 0, totalBytes: 1 },
      ...{ sizeBytes: 1, canRetry: false, isSafe: false, ...more },
    },
  });
};
/** What is said aloud of what has happened since. */
const said = () => {
  vi.runAllTimers();
  return halfkey.announcer.said.text;
};

describe('what is said aloud of the lock', () => {
  it.each<[Phase['phase'][], string]>([
    [['locked', 'open'], 'Halfkey is open.'],
    [['open', 'locked'], 'Halfkey is open. Halfkey is locked.'],
    [['locked', 'signed-out'], 'You are signed out.'],
    [['locked'], ''],
    [['signed-out'], ''],
  ])('after %j is: %s', (phases, text) => {
    for (const phase of phases) enter(phase);
    expect(said()).toBe(text);
  });

  it('is said once, however often a phase is told', () => {
    for (let time = 0; time < 3; time++) enter('open');
    expect(said()).toBe('Halfkey is open.');
  });
});

describe('when a device is signed out', () => {
  it('nothing of whoever was at it is left on the page', async () => {
    enter('open');
    report(viewReport({ total: 3, all: 3 }));
    transfer({});
    report({ kind: 'factor-reset', pending: { askedAtMs: 1, dueAtMs: 2 } });
    await halfkey.credentials.readKit();
    halfkey.driveActions.show({ kind: 'settings' });
    halfkey.notice.show({ tried: '“a.txt” was not opened', reason: 'because' });
    const asking = expect(halfkey.prompt.ask('open “a.txt”')).rejects.toMatchObject({ name: 'AbortError' });
    enter('signed-out');
    expect([halfkey.files.total, halfkey.files.all]).toEqual([0, undefined]);
    expect(halfkey.transfers.shown).toEqual([]);
    expect(halfkey.factorReset.pending).toBeUndefined();
    expect(halfkey.credentials.unkept).toEqual([]);
    expect(halfkey.driveActions.sheet).toBeUndefined();
    expect(halfkey.notice.noticed).toBeUndefined();
    await asking;
  });

  it('and when it asks for the passphrase, the sheets over the drive are closed', () => {
    enter('open');
    halfkey.driveActions.show({ kind: 'settings' });
    enter('locked');
    expect(halfkey.driveActions.sheet).toBeDefined();
    enter('closed');
    expect(halfkey.driveActions.sheet).toBeUndefined();
  });
});

describe('an upload', () => {
  it('makes the page ask to keep what rests here, once, as soon as there is something to lose', () => {
    transfer({});
    expect(vi.mocked(askToKeepOnce)).not.toHaveBeenCalled();
    transfer({ phase: 'waiting-for-network', isSafe: true });
    transfer({ phase: 'done', isSafe: true });
    expect(vi.mocked(askToKeepOnce)).toHaveBeenCalledOnce();
  });

  it('that is done shows that the file storage answers again', () => {
    const failure = { code: 'store_unreachable', detail: {} } as const;
    halfkey.notice.show({ tried: '“a.txt” was not opened', reason: { failure, atMs: 0 } });
    transfer({ phase: 'uploading' });
    transfer({ transfer: 'of another', direction: 'down', phase: 'done' });
    expect(halfkey.notice.noticed).toBeDefined();
    transfer({ phase: 'done', isSafe: true });
    expect(halfkey.notice.noticed).toBeUndefined();
  });

  it('that waits for the network is to be sent when there is one, with or without a page', () => {
    transfer({ phase: 'waiting-for-network' });
    expect(vi.mocked(sendUploadsLater)).toHaveBeenCalledOnce();
  });

  it('is none of these when it is a download', () => {
    transfer({ direction: 'down', phase: 'waiting-for-network' });
    transfer({ direction: 'down', phase: 'done', isSafe: true });
    expect(vi.mocked(sendUploadsLater)).not.toHaveBeenCalled();
    expect(vi.mocked(askToKeepOnce)).not.toHaveBeenCalled();
  });
});

it('hands what the worker says to those whom it is about', () => {
  report({ kind: 'connection', online: false });
  report({ kind: 'alarm', failure: { code: 'rollback', detail: {} } });
  report({ kind: 'view-stale', lastHeardMs: 5 });
  report({ kind: 'changes-dropped', changes: [{ key: 1, name: 'a', code: 'not_found' }] });
  transfer({});
  expect(halfkey.transfers.shown).toHaveLength(1);
  report({ kind: 'transfer-gone', transfer: 't' });
  expect(halfkey.transfers.shown).toEqual([]);
  const { online, alarm, lastHeardMs } = halfkey.session;
  expect([online, alarm?.code, lastHeardMs]).toEqual([false, 'rollback', 5]);
  expect(halfkey.droppedChanges.all).toHaveLength(1);
});

it('has the worker look at uploads again only where somebody is signed in', () => {
  halfkey.wakeUploads();
  enter('locked');
  halfkey.wakeUploads();
  expect(host.sent).toEqual([['upload/wake', {}]]);
});

it('says aloud that a file is deleted, once it is', async () => {
  const factor = { code: '123456' };
  await halfkey.arranging.purge({ entries: ['f'], name: 'a.txt' }, ['g'], factor);
  expect(host.sent).toEqual([['entries/purge', { entries: ['f'], also: ['g'], factor }]]);
  expect(said()).toBe('“a.txt” deleted for good.');
});
