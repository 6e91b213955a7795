import './runes.ts';
import '../support/relative-path.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { FileRow } from '../../src/lib/protocol/drive.ts';
import type { Preview } from '../../src/lib/protocol/transfer.ts';
import { DriveActions } from '../../src/lib/state/drive-actions.svelte.ts';
import { Notice } from '../../src/lib/state/notice.svelte.ts';
import { until } from '../support/until.ts';

const ROW = { entry: 'f1', name: 'a.txt' } as FileRow;
const OTHER = { entry: 'f2', name: 'b.txt' } as FileRow;
const TEXT: Preview = { kind: 'text', text: 'abc' };
const refusal = () => new HalfkeyError('broker_unreachable', 'no answer');

let heard: string[];
let phase: 'open' | 'locked';
/** What signing out would lose; undefined: it cannot be read. */
let loss: { unsent: number; pendingNames: number } | undefined;
let answer: { resolve: (preview: Preview) => void; reject: (error: unknown) => void };
let notice: Notice;
let actions: DriveActions;

beforeEach(() => {
  [heard, phase, loss] = [[], 'open', undefined];
  notice = new Notice();
  let pendingNames: number | undefined;
  const hears = (what: string) => () => Promise.resolve(void heard.push(what));
  const tools = {
    notice,
    session: {
      get phase() {
        return { phase };
      },
      lock: hears('lock'),
      signOut: hears('sign out'),
    },
    transfers: {
      get unsent() {
        return { count: loss?.unsent ?? 0, sizeBytes: 10 };
      },
    },
    uploading: { bring: hears('upload') },
    settings: {
      get storage() {
        return pendingNames === undefined ? undefined : { pendingNames };
      },
      readStorage: () => {
        if (!loss) return Promise.reject(refusal());
        ({ pendingNames } = loss);
        return Promise.resolve();
      },
    },
    downloads: {
      preview: () => new Promise((resolve, reject) => (answer = { resolve, reject })),
      save: () => Promise.reject(refusal()),
    },
    files: { keep: () => Promise.reject(refusal()) },
  };
  actions = new DriveActions(tools as unknown as ConstructorParameters<typeof DriveActions>[0]);
});
const settled = () => until(() => heard.length > 0 || actions.sheet !== undefined);
const turns = async () => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

describe('signing out', () => {
  it('happens at once where nothing is lost by it', async () => {
    loss = { unsent: 0, pendingNames: 0 };
    actions.askToSignOut();
    await settled();
    expect([heard, actions.sheet]).toEqual([['sign out'], undefined]);
  });

  it.each([
    { unsent: 2, pendingNames: 0 },
    { unsent: 0, pendingNames: 1 },
  ])('asks first where something is: %j', async (would) => {
    loss = would;
    actions.askToSignOut();
    await settled();
    expect(heard).toEqual([]);
    expect(actions.sheet).toEqual({
      kind: 'sign-out',
      loss: { unsent: { count: would.unsent, sizeBytes: 10 }, pendingNames: would.pendingNames },
    });
    actions.signOut();
    expect([heard, actions.sheet]).toEqual([['sign out'], undefined]);
  });

  it('asks first where nobody knows', async () => {
    actions.askToSignOut();
    await settled();
    expect([heard, actions.sheet]).toEqual([[], { kind: 'sign-out', loss: undefined }]);
  });
});

describe('a preview', () => {
  it('opens its sheet at once, and fills it later', async () => {
    actions.preview(ROW);
    expect(actions.sheet).toEqual({ kind: 'preview', row: ROW, preview: undefined, isCovered: false });
    answer.resolve(TEXT);
    await turns();
    expect(actions.sheet).toEqual({ kind: 'preview', row: ROW, preview: TEXT, isCovered: false });
  });

  it('shows that the file storage answers again, unless the file rests here', async () => {
    const failure = { code: 'store_unreachable', detail: {} } as const;
    notice.show({ tried: '“b.txt” was not downloaded', reason: { failure, atMs: 0 } });
    for (const kept of ['kept', 'no'] as const) {
      expect(notice.noticed).toBeDefined();
      actions.preview({ ...ROW, entry: kept, kept });
      answer.resolve(TEXT);
      await turns();
    }
    expect(notice.noticed).toBeUndefined();
  });

  it('of a locked drive leaves the place to the question for a code', async () => {
    phase = 'locked';
    actions.preview(ROW);
    expect(actions.sheet).toBeUndefined();
    phase = 'open'; // As the code has made it.
    answer.resolve(TEXT);
    await turns();
    expect(actions.sheet).toMatchObject({ kind: 'preview', preview: TEXT });
  });

  it('that was closed meanwhile does not come back, and one that another took the place of neither', async () => {
    actions.preview(ROW);
    actions.close();
    answer.resolve(TEXT);
    await turns();
    expect(actions.sheet).toBeUndefined();

    actions.preview(ROW);
    const first = answer;
    actions.preview(OTHER);
    first.resolve(TEXT);
    await turns();
    expect(actions.sheet).toMatchObject({ row: OTHER, preview: undefined });
  });

  it('that fails closes its sheet, and is noticed', async () => {
    actions.preview(ROW);
    answer.reject(refusal());
    await turns();
    expect(actions.sheet).toBeUndefined();
    expect(notice.noticed).toMatchObject({
      tried: '“a.txt” was not opened',
      reason: { failure: { code: 'broker_unreachable' } },
    });
  });
});

it('has nothing uploaded where no file was picked', async () => {
  actions.upload([]);
  await turns();
  expect(heard).toEqual([]);
  actions.upload([new File([], 'a')]);
  await turns();
  expect(heard).toEqual(['upload']);
});

it('says what of a drop could not be read, each by its path', async () => {
  const unread = Array.from({ length: 7 }, (_, index) => `f/${String(index)}`);
  actions.bring(Promise.resolve({ folders: [], files: [], unread }));
  await turns();
  expect(notice.noticed).toEqual({
    tried: '7 items were left out',
    reason:
      'This browser couldn’t read “f/0”, “f/1”, “f/2”, “f/3”, “f/4” and 2 more. Each may be a link, or not yours to open.',
  });
});

it('notices what fails, and throws nothing', async () => {
  const noticed: (string | undefined)[] = [];
  actions.download(ROW, 'plain');
  await turns();
  noticed.push(notice.noticed?.tried);
  for (const keep of [true, false]) {
    actions.keep(ROW, keep);
    await turns();
    noticed.push(notice.noticed?.tried);
  }
  expect(noticed).toEqual([
    '“a.txt” was not downloaded',
    '“a.txt” is not kept on this device',
    '“a.txt” is still kept on this device',
  ]);
});
