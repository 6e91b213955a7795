import './runes.ts';
import '../support/relative-path.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { activeServiceWorker } from '../../src/lib/platform/service-worker.ts';
import { SHARED_PARAMETER, type SharedAnswer } from '../../src/service-worker/messages.ts';
import { IncomingFiles, parseArrival } from '../../src/lib/state/incoming-files.svelte.ts';
import { until } from '../support/until.ts';

vi.mock('../../src/lib/platform/service-worker.ts', () => ({
  activeServiceWorker: vi.fn(),
  sendUploadsLater: vi.fn(),
}));

const A = new File(['a'], 'a.txt');
const B = new File(['b'], 'b.txt');
const FOLDER = { name: 'folder', within: undefined };
const inFolder = (source: File) => ({ source, within: 0 });
let incoming: IncomingFiles;
const sources = () => incoming.arrived?.brought.files.map(({ source }) => source);
let launch: (params: { targetURL?: string; files?: unknown[] }) => void;

/** As the browser has them, as far as this goes. */
class Handle {
  readonly getFile: () => Promise<File>;

  constructor(file: File | undefined) {
    this.getFile = () =>
      file ? Promise.resolve(file) : Promise.reject(new DOMException('x', 'NotFoundError'));
  }
}

beforeEach(() => {
  vi.stubGlobal('launchQueue', { setConsumer: (consumer: typeof launch) => void (launch = consumer) });
  vi.stubGlobal('FileSystemFileHandle', Handle);
  vi.stubGlobal('MessageChannel', Channel);
  incoming = new IncomingFiles();
  incoming.listen();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Hands files over as a browser does; Node's own channel makes nameless blobs of them. */
class Channel {
  readonly port1 = { onmessage: (_event: { data: unknown }): void => undefined, close: () => undefined };
  readonly port2 = {
    postMessage: (data: unknown) => {
      this.port1.onmessage({ data });
    },
  };
}

/** A service worker that answers each question for shared files so, or never. */
function serviceWorker(answer?: SharedAnswer): void {
  const worker = {
    postMessage: (message: unknown, [port]: [Channel['port2']]) => {
      expect(message).toEqual({ kind: 'shared', share: 's1' });
      if (answer) port.postMessage(answer);
    },
  };
  vi.mocked(activeServiceWorker).mockResolvedValue(worker as unknown as ServiceWorker);
}

it.each([
  ['/', {}],
  [`/?${SHARED_PARAMETER}=s1`, { share: 's1' }],
  ['/?do=upload', { deed: 'upload' }],
  ['/?do=lock', { deed: 'lock' }],
  ['/?do=sign-out', {}],
])('reads %s', (address, arrival) => {
  expect(parseArrival(new URL(address, 'https://halfkey.test'))).toEqual(arrival);
});

describe('files that another app has shared', () => {
  it('are wanted only once somebody has said so: any site can send a form', async () => {
    serviceWorker({ kind: 'files', files: [A] });
    await incoming.come({ share: 's1' });
    expect([sources()?.map(({ name }) => name), incoming.arrived?.asks]).toEqual([['a.txt'], true]);
  });

  it.each<SharedAnswer>([{ kind: 'files', files: [] }, { kind: 'gone' }])(
    'are lost when the service worker has none of them: %j',
    async (answer) => {
      serviceWorker(answer);
      await incoming.come({ share: 's1' });
      expect([incoming.arrived, incoming.isLost]).toEqual([undefined, true]);
    },
  );

  it('are lost where there is no service worker, or none that answers', async () => {
    vi.mocked(activeServiceWorker).mockResolvedValue(undefined);
    await incoming.come({ share: 's1' });
    expect(incoming.isLost).toBe(true);
    incoming.dismiss();
    expect(incoming.isLost).toBe(false);

    vi.useFakeTimers();
    serviceWorker();
    const coming = incoming.come({ share: 's1' });
    await vi.runAllTimersAsync();
    await coming;
    expect(incoming.isLost).toBe(true);
  });
});

describe('files that were dropped where there is no drive yet', () => {
  it('are kept until there is one, and wanted; beside those of another site they are asked about', async () => {
    await incoming.bring(Promise.resolve({ folders: [FOLDER], files: [inFolder(A)], unread: ['x'] }));
    await incoming.bring(Promise.resolve({ folders: [FOLDER], files: [inFolder(B)], unread: [] }));
    expect(incoming.arrived).toEqual({
      brought: {
        folders: [FOLDER, FOLDER],
        files: [inFolder(A), { source: B, within: 1 }],
        unread: ['x'],
      },
      asks: false,
    });
    serviceWorker({ kind: 'files', files: [A] });
    await incoming.come({ share: 's1' });
    expect([sources(), incoming.arrived?.asks]).toEqual([[A, B, A], true]);
  });
});

describe('files that were opened with the app', () => {
  it('are wanted', async () => {
    launch({ files: [new Handle(A)] });
    await until(() => incoming.arrived);
    expect([sources(), incoming.arrived?.asks]).toEqual([[A], false]);
  });

  it('that cannot be read are lost, and the others come', async () => {
    launch({ files: [new Handle(undefined), new Handle(B), { kind: 'directory' }] });
    await until(() => incoming.isLost);
    expect(sources()).toEqual([B]);
  });

  it('beside some that were shared are asked about together, whichever came first', async () => {
    serviceWorker({ kind: 'files', files: [B] });
    launch({ files: [new Handle(A)] });
    await until(() => incoming.arrived);
    await incoming.come({ share: 's1' });
    expect([sources(), incoming.arrived?.asks]).toEqual([[A, B], true]);
    incoming.dismiss();
    await incoming.come({ share: 's1' });
    launch({ files: [new Handle(A)] });
    await until(() => sources()?.length === 2);
    expect([sources(), incoming.arrived?.asks]).toEqual([[B, A], true]);
  });

  it('are whose they were given to, and nobody else’s', async () => {
    launch({ files: [new Handle(A)] });
    await until(() => incoming.arrived);
    expect(incoming.take().files).toEqual([{ source: A, within: undefined }]);
    expect(incoming.take().files).toEqual([]);
  });
});

it('hears of a shortcut while the app runs, and keeps it until it is done', () => {
  launch({ targetURL: 'https://halfkey.test/?do=upload' });
  expect(incoming.deed).toBe('upload');
  incoming.deedDone();
  expect(incoming.deed).toBeUndefined();
});
