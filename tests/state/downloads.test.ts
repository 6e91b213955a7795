import './runes.ts';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { pickPlace, saveFile, saveStream } from '../../src/lib/platform/saving.ts';
import { activeServiceWorker } from '../../src/lib/platform/service-worker.ts';
import type { FileRow } from '../../src/lib/protocol/drive.ts';
import type { DownloadStream } from '../../src/lib/protocol/transfer.ts';
import { CodePrompt } from '../../src/lib/state/code-prompt.svelte.ts';
import { Downloads } from '../../src/lib/state/downloads.ts';
import type { Transfers } from '../../src/lib/state/transfers.svelte.ts';
import { toldWorker } from './told-worker.ts';
import { until } from '../support/until.ts';

vi.mock('../../src/lib/platform/saving.ts');
vi.mock('../../src/lib/platform/service-worker.ts', () => ({
  activeServiceWorker: vi.fn(),
  sendUploadsLater: vi.fn(),
}));

const ROW: FileRow = {
  ...{ kind: 'file', entry: 'f1', name: 'a.txt', folder: '', isFavourite: false, tags: [], sizeBytes: 3 },
  ...{ mediaType: 'text/plain', addedAtMs: 0, kept: 'no' },
  isGone: false,
  isPending: false,
};
const STREAM = { transfer: 't1', name: 'a.txt', sizeBytes: 3 } as DownloadStream;
const SAVING = { keepAwake: () => undefined, end: () => undefined };
const SERVICE_WORKER = {} as ServiceWorker;
const OPFS = new File(['abc'], 'download-t1');
let heard: string[];
let prompt: CodePrompt;
let downloads: Downloads;
let sent: [string, unknown][];
/** The first so many tries of a command meet a locked drive. */
let lockedTries: number;

beforeEach(() => {
  vi.resetAllMocks();
  [heard, lockedTries] = [[], 0];
  const unlessLocked = <Result>(result: Result): Result => {
    if (lockedTries-- > 0) throw new HalfkeyError('locked', 'no grant is live');
    return result;
  };
  const told = toldWorker({
    'download/stream': () => unlessLocked(STREAM),
    'download/write': ({ handle }) => unlessLocked({ transfer: 't1', ...(!handle && { opfs: OPFS }) }),
    'download/zip': () => unlessLocked({ ...STREAM, name: 'tax.zip' }),
    'download/zip-write': () => unlessLocked({ transfer: 't1', name: 'tax.zip', opfs: OPFS }),
    'file/preview': () => unlessLocked({ kind: 'text', text: 'abc' } as const),
  });
  sent = told.sent;
  prompt = new CodePrompt(told.worker);
  const transfers = {
    follow: (transfer: string, follower: unknown) =>
      void heard.push(`follow ${transfer} ${String(follower === SAVING)}`),
    cancel: (transfer: string) => Promise.resolve(void heard.push(`cancel ${transfer}`)),
    dismiss: (transfer: string) => Promise.resolve(void heard.push(`dismiss ${transfer}`)),
  } as unknown as Transfers;
  downloads = new Downloads(told.worker, prompt, transfers);
});

describe('a download', () => {
  it('goes through the service worker, which is kept awake until the transfer ends', async () => {
    vi.mocked(activeServiceWorker).mockResolvedValue(SERVICE_WORKER);
    vi.mocked(saveStream).mockResolvedValue(SAVING);
    await downloads.save(ROW, 'plain');
    expect(vi.mocked(saveStream)).toHaveBeenCalledWith(SERVICE_WORKER, STREAM, 'Download');
    expect(sent).toEqual([['download/stream', { file: 'f1', form: 'plain' }]]);
    expect(heard).toEqual(['follow t1 true']);
  });

  it('of an earlier version is of that one, whose key does not come with the code', async () => {
    await downloads.save(ROW, 'plain', 'b0');
    await downloads.preview(ROW, () => true, 'b0');
    expect(sent).toEqual([
      ['download/write', { file: 'f1', version: 'b0', form: 'plain' }],
      ['file/preview', { file: 'f1', version: 'b0' }],
    ]);
  });

  it('that the service worker does not take is called off, and comes by a private file', async () => {
    vi.mocked(activeServiceWorker).mockResolvedValue(SERVICE_WORKER);
    await downloads.save(ROW, 'plain');
    expect(heard).toEqual(['cancel t1', 'dismiss t1']);
    expect(vi.mocked(saveFile)).toHaveBeenCalledExactlyOnceWith(OPFS, 'a.txt');
  });

  it('comes by a private file where there is no service worker; as it lies in the store it has a name of its own', async () => {
    await downloads.save(ROW, 'sealed');
    expect(sent).toEqual([['download/write', { file: 'f1', form: 'sealed' }]]);
    expect(vi.mocked(saveFile)).toHaveBeenCalledExactlyOnceWith(OPFS, 'a.txt.floe');
  });

  it('waits for a code where the drive is locked, and says what it is for', async () => {
    lockedTries = 1;
    const saving = downloads.save(ROW, 'plain');
    await until(() => prompt.purpose !== undefined);
    expect(prompt.purpose).toBe('download “a.txt”');
    prompt.proceed();
    await saving;
    expect(vi.mocked(saveFile)).toHaveBeenCalledOnce();
  });
});

describe('a download to a place that people choose', () => {
  it('is written there, and offered nowhere else', async () => {
    const handle = { name: 'b.txt' } as FileSystemFileHandle;
    vi.mocked(pickPlace).mockResolvedValue(handle);
    await downloads.saveAs(ROW);
    expect(vi.mocked(pickPlace)).toHaveBeenCalledExactlyOnceWith('a.txt');
    expect(sent).toEqual([['download/write', { file: 'f1', form: 'plain', handle }]]);
    expect(vi.mocked(saveFile)).not.toHaveBeenCalled();
  });

  it('asks for the place before the code: a browser allows it within a click only', async () => {
    vi.mocked(pickPlace).mockRejectedValue(new DOMException('called off', 'AbortError'));
    await expect(downloads.saveAs(ROW)).rejects.toMatchObject({ name: 'AbortError' });
    expect(sent).toEqual([]);
  });
});

it('looks into a file after a code where the drive is locked', async () => {
  lockedTries = 1;
  const preview = downloads.preview(ROW, () => true);
  await until(() => prompt.purpose !== undefined);
  expect(prompt.purpose).toBe('open “a.txt”');
  prompt.proceed();
  expect(await preview).toEqual({ kind: 'text', text: 'abc' });
});

describe('a zip', () => {
  it('goes through the service worker like a file', async () => {
    vi.mocked(activeServiceWorker).mockResolvedValue(SERVICE_WORKER);
    vi.mocked(saveStream).mockResolvedValue(SAVING);
    await downloads.saveZip(['d1', 'f1']);
    expect([sent, heard]).toEqual([[['download/zip', { entries: ['d1', 'f1'] }]], ['follow t1 true']]);
  });

  it('is written here where there is none, and saved under its own name', async () => {
    await downloads.saveZip(['d1'], 'tax');
    expect(sent).toEqual([['download/zip-write', { entries: ['d1'] }]]);
    expect(saveFile).toHaveBeenCalledWith(OPFS, 'tax.zip');
  });

  it('asks for a code when it is to be opened, and says for what', async () => {
    lockedTries = 1;
    const saved = downloads.saveZip(['d1', 'f1']);
    await until(() => prompt.purpose);
    expect(prompt.purpose).toBe('download 2 items');
    prompt.proceed();
    await saved;
    expect(saveFile).toHaveBeenCalledOnce();
  });
});
