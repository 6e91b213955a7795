import './runes.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { FileRow } from '../../src/lib/protocol/drive.ts';
import type { Preview } from '../../src/lib/protocol/transfer.ts';
import { DriveActions } from '../../src/lib/state/drive-actions.svelte.ts';

const row = { entry: 'a', name: 'a.txt' } as FileRow;
const other = { entry: 'b', name: 'b.txt' } as FileRow;
const preview: Preview = { kind: 'text', text: 'dear you' };

/** Each asks for a key to be released, and ends when it is told to. */
let asked: { what: string; end: () => void; fail: () => void }[];
let phase: 'open' | 'locked';
let actions: DriveActions;
const settled = () => new Promise((resolve) => setTimeout(resolve));

function asks<Result>(what: string, result: Result): Promise<Result> {
  return new Promise((resolve, reject) => {
    const fail = () => {
      reject(new Error('no'));
    };
    const end = () => {
      resolve(result);
    };
    asked.push({ what, end, fail });
  });
}

beforeEach(() => {
  asked = [];
  phase = 'open';
  const tools = {
    session: {
      get phase() {
        return { phase };
      },
    },
    downloads: {
      preview: ({ entry }: FileRow) => asks(`preview ${entry}`, preview),
      save: ({ entry }: FileRow, form: string) => asks(`save ${form} ${entry}`, undefined),
      saveAs: ({ entry }: FileRow) => asks(`save as ${entry}`, undefined),
    },
    notice: {
      watch: (_tried: string, action: () => Promise<unknown>) => action().catch(() => undefined),
      isServed: () => undefined,
    },
  };
  actions = new DriveActions(tools as unknown as ConstructorParameters<typeof DriveActions>[0]);
});

const askedFor = () => asked.map(({ what }) => what);

describe('one intention is one release', () => {
  it.each(['open', 'locked'] as const)('when a file is pressed three times while %s', async (standing) => {
    phase = standing;
    for (let times = 0; times < 3; times++) actions.preview(row);
    phase = 'open'; // As a code has made it.
    asked[0]?.end();
    await settled();
    actions.preview(row);
    expect(askedFor()).toEqual(['preview a']);
    expect(actions.sheet).toEqual({ kind: 'preview', row, preview, isCovered: false });
  });

  it('when it is saved by a double click', () => {
    for (let times = 0; times < 2; times++) {
      actions.download(row, 'plain');
      actions.download(row, 'sealed');
      actions.saveAs(row);
    }
    expect(askedFor()).toEqual(['save plain a', 'save sealed a', 'save as a']);
  });

  it('and another intention another: another file, or the same again when it was closed, saved or refused', async () => {
    actions.preview(row);
    actions.preview(other);
    for (const { end } of asked) end();
    await settled();
    actions.close();
    actions.preview(row);
    asked[2]?.fail();
    await settled();
    actions.preview(row);
    actions.download(row, 'plain');
    asked[4]?.end();
    await settled();
    actions.download(row, 'plain');
    expect(askedFor()).toEqual([
      ...['preview a', 'preview b', 'preview a', 'preview a'],
      ...['save plain a', 'save plain a'],
    ]);
  });
});
