import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VaultId } from '$contract/ids.ts';
import { blobPutUrls } from '$contract/vault-blobs.ts';
import type { SealedUpload, StoredUpload } from '../../../src/lib/store/database.ts';
import { Adopter } from '../../../src/lib/transfer/adoption/adopting.ts';
import { Uploads } from '../../../src/lib/transfer/upload/uploads.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import type { TransferPhase } from '../../../src/lib/protocol/transfer.ts';
import { refusalCode } from '../../crypto/refusal.ts';
import { idOf, versionOf } from '../../journal/world.ts';
import { openUploadSide, type UploadSide } from './upload-side.ts';
import { SOON, until } from '../../support/until.ts';
import { toTop } from './picked.ts';

// Captures, sending, and what happens between tabs, one by one: the tests beside this one, and those of the engine.
const A = new File(['abc'], 'a.txt', { lastModified: 1_700_000_000_000 });
let side: UploadSide;
let saved: number;
let uploads: Uploads;

beforeEach(async () => {
  side = await openUploadSide();
  saved = 0;
  uploads = openTab();
  side.lineChanged = () => {
    uploads.lineChanged();
  };
});
afterEach(() => {
  uploads.close();
  side.close();
});

const openTab = () => {
  const { folders, ...deps } = side.tab();
  const adopter = new Adopter(() => side.world.open, undefined, folders);
  return new Uploads({ ...deps, folders }, side.reporter, adopter, () => (saved += 1));
};
const find = (name = 'a.txt') => [...side.reports.values()].find((each) => each.name === name)!;
const untilPhase = (phase: TransferPhase, name = 'a.txt') =>
  until(() => [...side.reports.values()].some((each) => each.name === name && each.phase === phase));
const isInDrive = (name = 'a.txt') => side.world.journal.state.entries.names.includes(name);
const rests = async () => [(await side.records.list()).length, side.files.blobs.size];
/** An upload that is stored sealed; its tab is gone, and nothing of it was sent. */
async function restSealed(): Promise<StoredUpload> {
  const letGo = side.holdQueue();
  side.world.isOpen = false;
  uploads.add(toTop(A));
  await until(() => find().isSafe);
  const [stored] = await side.records.list();
  uploads.close();
  letGo();
  return stored!;
}
/** The journal names a blob that some device adopted. */
const adoptElsewhere = ({ blob }: StoredUpload) =>
  side.world.journal.append(() => [
    {
      kind: 'file-add',
      file: idOf('file', 1),
      folder: '',
      name: 'a.txt',
      version: { ...versionOf(1), blob },
    },
  ]);

describe('a file that was picked', () => {
  it('is in the drive where a grant is live, and nothing of it rests here', async () => {
    uploads.add(toTop(A));
    await untilPhase('done');
    await expect.poll(rests, SOON).toEqual([0, 0]);
    expect([isInDrive(), side.puts]).toEqual([true, 1]);
    expect(side.told.at(-1)).toMatchObject({ kind: 'ended', how: 'done' });
  });

  it('is in the inbox without one, and its ciphertext rests here no more', async () => {
    side.world.isOpen = false;
    uploads.add(toTop(A));
    await untilPhase('waiting-for-code');
    await until(() => saved > 0);
    expect([isInDrive(), await rests(), find().isSafe]).toEqual([false, [1, 0], true]);
    expect((await side.world.side.inbox.list(side.world.vault, '')).names).toHaveLength(1);
  });

  it('rests sealed without a network, and goes on when there is one', async () => {
    side.isOnline = false;
    uploads.add(toTop(A));
    await untilPhase('waiting-for-network');
    expect([find().isSafe, await rests()]).toEqual([true, [1, 1]]);
    expect(uploads.waiting()).toMatchObject({ count: 1 });
    side.isOnline = true;
    side.connection.store.wake();
    await untilPhase('done');
    expect(uploads.waiting()).toEqual({ count: 0, sizeBytes: 0 });
  });

  it('that is too large keeps those beside it out, too: none is taken in', () => {
    const huge = new File([], 'huge');
    Object.defineProperty(huge, 'size', { value: 2 ** 45 });
    expect(() => {
      uploads.add(toTop(A, huge));
    }).toThrow(expect.objectContaining({ code: 'file_too_large' }) as Error);
    expect(side.reports.size).toBe(0);
  });

  it('while nobody is signed in is not taken in', () => {
    const nobody = new HalfkeyError('session_missing', 'x');
    const deps = {
      ...side.tab(),
      vault: () => {
        throw nobody;
      },
    };
    const closed = new Uploads(deps, side.reporter, new Adopter(deps.vault), () => undefined);
    expect(() => {
      closed.add(toTop(A));
    }).toThrow(nobody);
  });
});

describe('a file that was picked for a folder', () => {
  const folder = idOf('folder', 1);
  const addFolder = () =>
    side.world.journal.append(() => [{ kind: 'folder-add', folder, parent: '', name: 'f' }]);
  const placed = (name = 'a.txt') => {
    const { ids, names } = side.world.journal.state.entries;
    return side.world.journal.state.entry(ids[names.indexOf(name)] ?? '');
  };

  it('is there, and nothing else is said of it', async () => {
    await addFolder();
    uploads.add([{ source: A, folder }]);
    await untilPhase('done');
    expect([placed()?.folder, find().instead]).toEqual([folder, undefined]);
  });

  it('that waits on this device finds it in the journal first', async () => {
    side.ensureFolders = async (folders) => {
      expect(folders).toEqual([folder]);
      await addFolder();
    };
    uploads.add([{ source: A, folder }]);
    await untilPhase('done');
    expect(placed()?.folder).toBe(folder);
  });

  it('is not in the inbox before its folder is in the journal', async () => {
    side.world.isOpen = false;
    let isReached = false;
    const asked: string[] = [];
    side.ensureFolders = async () => {
      asked.push(isReached ? 'reached' : 'silent');
      if (!isReached) throw new HalfkeyError('broker_unreachable', 'no network');
      await addFolder();
    };
    uploads.add([{ source: A, folder }]);
    await untilPhase('waiting-for-network');
    expect((await side.world.side.inbox.list(side.world.vault, '')).names).toEqual([]);
    expect(await side.records.list()).toMatchObject([{ state: 'uploaded', awaitsFolder: true }]);
    isReached = true;
    side.connection.broker.wake();
    await untilPhase('waiting-for-code');
    expect(await side.records.list()).toMatchObject([{ state: 'saved' }]);
    expect([asked.at(-1), 'awaitsFolder' in (await side.records.list())[0]!]).toEqual(['reached', false]);
  });

  it('that is gone or in the trash goes into the top folder, and says so', async () => {
    uploads.add([{ source: A, folder }]);
    await untilPhase('done');
    expect([placed()?.folder, find().instead]).toEqual(['', 'top-folder']);
  });
});

describe('a file that was picked to be a new version', () => {
  const B = new File(['abcd'], 'b.txt', { lastModified: 1_700_000_000_000 });
  const first = idOf('file', 1);
  beforeEach(() =>
    side.world.journal.append(() => [
      { kind: 'file-add', file: first, folder: '', name: 'a.txt', version: versionOf(1) },
    ]),
  );

  it('is the newest of that file, each in a transfer of its own', async () => {
    for (const source of [A, B]) {
      uploads.add([{ source, folder: '', versionOf: first }]);
      await untilPhase('done', source.name);
    }
    const { state } = side.world.journal;
    expect(state.versionsOf(first).map(({ sizeBytes }) => sizeBytes)).toEqual([4, 3, versionOf(1).sizeBytes]);
    expect([side.reports.size, state.entries.names]).toEqual([2, ['a.txt']]);
  });

  it('becomes a file of its own where that one was purged meanwhile, and says so', async () => {
    await side.world.journal.append(() => [{ kind: 'purge', entry: first }]);
    uploads.add([{ source: A, folder: '', versionOf: first }]);
    await untilPhase('done');
    const { state } = side.world.journal;
    expect(state.entry(find().transfer)).toMatchObject({ name: 'a.txt', folder: '' });
    expect(find().instead).toBe('own-file');
  });
});

describe('an upload that is called off', () => {
  it('leaves nothing here, and other tabs hear of it', async () => {
    side.isOnline = false;
    uploads.add(toTop(A));
    await untilPhase('waiting-for-network');
    expect(await uploads.cancel(find().transfer)).toBe(true);
    expect([find().phase, await rests()]).toEqual(['cancelled', [0, 0]]);
    expect(side.told.at(-1)).toMatchObject({ kind: 'ended', how: 'cancelled' });
  });

  it('once it is done stays done; what is no upload is not called off here', async () => {
    uploads.add(toTop(A));
    await untilPhase('done');
    expect(await uploads.cancel(find().transfer)).toBe(true);
    expect(find().phase).toBe('done');
    expect(await uploads.cancel('another')).toBe(false);
  });
});

describe('an upload that is to rest', () => {
  const again = async () => {
    side.isOnline = true;
    side.connection.store.wake();
    await uploads.goOn(find().transfer);
    await untilPhase('done');
    expect([isInDrive(), side.puts]).toEqual([true, 1]);
  };

  it('is sent no further, until it is to go on', async () => {
    side.isOnline = false;
    uploads.add(toTop(A));
    await untilPhase('waiting-for-network');
    expect(await uploads.pause(find().transfer)).toBe(true);
    expect([find().phase, find().isSafe]).toEqual(['paused', true]);
    expect(await side.records.list()).toMatchObject([{ isPaused: true }]);
    side.isOnline = true;
    side.connection.store.wake();
    uploads.grantBought();
    uploads.lineChanged();
    await side.world.journal.refresh();
    expect([find().phase, side.puts]).toEqual(['paused', 0]);
    await again();
  });

  it('is taken in first, and rests sealed', async () => {
    uploads.add(toTop(A));
    expect(await uploads.pause(find().transfer)).toBe(true);
    await untilPhase('paused');
    await expect.poll(() => side.records.list(), SOON).toMatchObject([{ state: 'sealed', isPaused: true }]);
    expect([find().isSafe, side.puts]).toEqual([true, 0]);
    await again();
  });

  it('rests after a new start too', async () => {
    side.isOnline = false;
    uploads.add(toTop(A));
    await untilPhase('waiting-for-network');
    await uploads.pause(find().transfer);
    uploads.close();
    [side.isOnline, uploads] = [true, openTab()];
    await uploads.resume();
    expect([find().phase, side.puts]).toEqual(['paused', 0]);
    await uploads.goOn(find().transfer);
    await untilPhase('waiting-for-code'); // It is in the inbox: its key left this tab with the one before.
    expect(side.puts).toBe(1);
  });

  it('may be called off', async () => {
    side.isOnline = false;
    uploads.add(toTop(A));
    await untilPhase('waiting-for-network');
    await uploads.pause(find().transfer);
    await uploads.cancel(find().transfer);
    expect([find().phase, await rests()]).toEqual(['cancelled', [0, 0]]);
  });

  it('is none that has ended, or that is no upload', async () => {
    uploads.add(toTop(A));
    await untilPhase('done');
    expect([await uploads.pause(find().transfer), await uploads.pause('another')]).toEqual([true, false]);
    expect([find().phase, await uploads.goOn('another')]).toEqual(['done', false]);
  });
});

describe('an upload that failed', () => {
  beforeEach(async () => {
    side.world.interfere = () => Promise.reject(new HalfkeyError('store_full', 'no room'));
    uploads.add(toTop(A));
    await untilPhase('failed');
  });

  it('goes on from what rests here when it is tried again', async () => {
    side.world.interfere = (_route, _request, effect) => effect();
    uploads.retry(find().transfer);
    await untilPhase('done');
    expect(isInDrive()).toBe(true);
  });

  it('leaves nothing here when it is dismissed; one that is under way is not', async () => {
    await uploads.dismiss(find().transfer);
    expect([side.reports.size, await rests()]).toEqual([0, [0, 0]]);
    side.holdQueue();
    uploads.add(toTop(A));
    await until(() => find().isSafe);
    await uploads.dismiss(find().transfer);
    expect([side.reports.size, await rests()]).toEqual([1, [1, 1]]);
  });
});

it('goes on after a code, where this device has as much up as it may without one', async () => {
  const { world } = side;
  world.isOpen = false;
  world.interfere = (route, _request, effect) => {
    if (route === blobPutUrls && !world.isOpen)
      throw new HalfkeyError('grant_missing', 'its share is used up');
    return effect();
  };
  uploads.add(toTop(A));
  await untilPhase('waiting-for-code');
  expect(find()).toMatchObject({ isSafe: true, restsHere: true });
  expect([await rests(), side.puts]).toEqual([[1, 1], 0]);
  uploads.close();
  uploads = openTab();
  await uploads.resume();
  await untilPhase('waiting-for-code');
  expect(find().restsHere).toBe(true);
  world.isOpen = true;
  uploads.grantBought();
  await until(() => side.puts === 1);
  await until(() => find().restsHere === undefined);
});

describe('a tab that starts', () => {
  it('takes up what rests sealed, and removes what nobody knows of', async () => {
    await restSealed();
    side.world.isOpen = true;
    await side.files.write('left', 1, new Uint8Array(3));
    uploads = openTab();
    await uploads.resume();
    // Its content key is gone with the tab: the inbox takes it, and anyone who has a grant finds it there.
    await untilPhase('waiting-for-code');
    expect([saved, side.files.blobs.size]).toEqual([1, 0]);
  });

  it('asks for the file of what was not taken in whole, and takes no other for it', async () => {
    const stored = await restSealed();
    await side.records.save({ ...stored, state: 'capturing' });
    side.world.isOpen = true;
    uploads = openTab();
    await uploads.resume();
    await untilPhase('waiting-for-file');
    const { transfer } = find();
    const other = new File(['abcd'], 'a.txt', { lastModified: A.lastModified });
    expect(await refusalCode(uploads.again(transfer, other))).toBe('source_changed');
    expect(find().phase).toBe('waiting-for-file');
    await uploads.again(transfer, A);
    await untilPhase('done');
    await expect.poll(rests, SOON).toEqual([0, 0]);
    expect(isInDrive()).toBe(true);
    expect(await refusalCode(uploads.again(transfer, A))).toBe('not_found');
  });

  it('leaves what is of another vault alone', async () => {
    const stored = await restSealed();
    await side.records.save({ ...stored, vault: 'us-east-1:of-another' as VaultId });
    uploads = openTab();
    await uploads.resume();
    expect([side.reports.size, await rests()]).toEqual([0, [1, 1]]);
  });

  it('ends what the journal names already', async () => {
    await adoptElsewhere(await restSealed());
    uploads = openTab();
    await uploads.resume();
    expect([find().phase, await rests(), side.puts]).toEqual(['done', [0, 0], 0]);
  });
});

describe('what another tab does', () => {
  it('shows as far as it has come, and to its end', async () => {
    const { blob } = await restSealed();
    side.holdQueue();
    uploads = openTab();
    await uploads.resume();
    expect(find().phase).toBe('waiting');
    await uploads.hear({ kind: 'progress', blob, phase: 'uploading', doneBytes: 7 });
    expect(find().phase).toBe('uploading');
    await uploads.hear({ kind: 'ended', blob, how: 'done' });
    expect(find().phase).toBe('done');
  });

  it('with an upload of its own shows here as soon as it rests', async () => {
    const stored = await restSealed();
    await side.records.save({ ...(stored as SealedUpload), state: 'saved' });
    uploads = openTab();
    await uploads.hear({ kind: 'changed', blob: stored.blob });
    expect(find()).toMatchObject({ phase: 'waiting-for-code', isSafe: true });
  });

  it('and has ended before this one read of it does not show any more', async () => {
    const { blob } = await restSealed();
    uploads = openTab();
    await uploads.hear({ kind: 'ended', blob, how: 'cancelled' });
    await uploads.hear({ kind: 'changed', blob });
    expect(side.reports.size).toBe(0);
  });
});

it('ends what lies in the inbox once the journal names it, whoever adopted it', async () => {
  side.world.isOpen = false;
  uploads.add(toTop(A));
  await untilPhase('waiting-for-code');
  await until(() => saved > 0);
  await uploads.settle();
  expect(find().phase).toBe('waiting-for-code');
  const [stored] = await side.records.list();
  await adoptElsewhere(stored!);
  await uploads.settle();
  expect([find().phase, await rests()]).toEqual(['done', [0, 0]]);
});

it('stops where it stands when nobody is signed in any more, and what rests stays', async () => {
  side.holdQueue();
  uploads.add(toTop(A));
  await until(() => find().isSafe);
  uploads.close();
  expect([side.reports.size, await rests()]).toEqual([0, [1, 1]]);
});
