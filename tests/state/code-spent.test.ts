import './runes.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { CodePrompt } from '../../src/lib/state/code-prompt.svelte.ts';
import { DriveActions } from '../../src/lib/state/drive-actions.svelte.ts';
import { Notice } from '../../src/lib/state/notice.svelte.ts';

let notice: Notice;
let prompt: CodePrompt;

beforeEach(() => {
  notice = new Notice();
  prompt = new CodePrompt({ send: () => Promise.resolve() });
});

function actions(transfers: object, uploading: object = {}): DriveActions {
  const tools = { notice, prompt, transfers, uploading, files: { folder: '' } };
  return new DriveActions(tools as unknown as ConstructorParameters<typeof DriveActions>[0]);
}

describe('files that one code does not reach for', () => {
  const drop = async (files: number, beyondCode: number) => {
    const uploading = { bring: () => Promise.resolve({ files, beyondCode, folders: 0 }) };
    const brought = { folders: [], files: [], unread: [] };
    actions({}, uploading).bring(brought);
    await new Promise((resolve) => setTimeout(resolve));
  };

  it('are said at the drop', async () => {
    await drop(2000, 1006);
    expect(notice.noticed).toEqual({
      tried: 'Your last code covers 994 of these 2,000 files',
      reason: 'The rest will be uploaded too, then wait for another code.',
      wantsCode: true,
    });
    notice.isOpen();
    expect(notice.noticed).toBeUndefined();
  });

  it('are not said where there are none', async () => {
    await drop(2000, 0);
    expect(notice.noticed).toBeUndefined();
  });
});

describe('a code that is used up', () => {
  it('is asked for again where uploads are not in the drive yet', () => {
    actions({ unsent: { count: 3 }, counts: { waitingForCode: 0 } }).codeSpent();
    expect(prompt.purpose).toBe('finish uploading');
  });

  it('is asked for again where uploads wait for one', () => {
    actions({ unsent: { count: 0 }, counts: { waitingForCode: 2 } }).codeSpent();
    expect(prompt.purpose).toBe('finish uploading');
  });

  it('is not asked for where nothing wants one: whatever was to be opened asks itself', () => {
    actions({ unsent: { count: 0 }, counts: { waitingForCode: 0 } }).codeSpent();
    expect(prompt.purpose).toBeUndefined();
  });
});
