import { beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '$contract/limits.ts';
import { purge, purgeGrant } from '$contract/vault-keys.ts';
import { logAppend } from '$contract/vault-log.ts';
import { deletedFiles, purgeEntries, purgeVersions } from '../../src/lib/drive/purge.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { fileAdd, folderAdd, idOf, versionOf } from '../journal/world.ts';
import type { Factor } from '../../src/lib/protocol/session.ts';
import type { OpenVault } from '../../src/lib/vault/open-vault.ts';
import { asked, openVaultWorld, type VaultWorld } from '../support/vault-world.ts';

const CODE = { code: '123456' };
const FILE = idOf('file', 1);
let world: VaultWorld;

beforeEach(async () => {
  world = await openVaultWorld();
  await world.journal.append(() => [fileAdd(1), fileAdd(2)]);
  for (const number of [1, 2]) await store(number);
  world.heard.length = 0;
});

const purgeFile = (open: OpenVault, file: string, factor: Factor, also: readonly string[] = []) =>
  purgeEntries(open, { entries: [file], also }, factor);

/** The ciphertext of a file's first version. */
async function store(number: number): Promise<void> {
  await world.cloud.vaultObjects.create(world.vault, `blobs/${idOf('blob', number)}`, new Uint8Array(3));
}
const isStored = (number: number) =>
  world.cloud.objects.has(`v/${world.vault}/blobs/${idOf('blob', number)}`);
const isListed = () => world.journal.state.entry(FILE) !== undefined;

describe('a file that is deleted for good', () => {
  it('goes from the journal first, then from the store, and then the journal says that it is gone', async () => {
    await purgeFile(world.open, FILE, CODE);
    expect(world.heard).toEqual(asked(purgeGrant, logAppend, purge, logAppend));
    expect(world.journal.state.entry(FILE)).toBeUndefined();
    expect([isStored(1), isStored(2), world.journal.state.hidden.size]).toEqual([false, true, 0]);
    expect(world.journal.state.entry(idOf('file', 2))).toBeDefined();
  });

  it('goes with all its versions, in batches that the broker takes', async () => {
    const versions = Array.from({ length: LIMITS.batch }, (_, index) => versionOf(1000 + index));
    await world.journal.append(() =>
      versions.map((version) => ({ kind: 'version-add', file: FILE, version })),
    );
    world.heard.length = 0;
    await purgeFile(world.open, FILE, CODE);
    expect(world.times(purge)).toBe(2);
    expect(world.journal.state.hidden.size).toBe(0);
  });

  const cutOff = async () => {
    world.interfere = (route, _request, effect) =>
      route === purge ? Promise.reject(new HalfkeyError('code_wrong', 'cut off here')) : effect();
    expect(await refusalCode(purgeFile(world.open, FILE, CODE))).toBe('code_wrong');
    expect(isStored(1)).toBe(true);
    world.interfere = (_route, _request, effect) => effect();
  };

  it('leaves what was deleted before, and confirmed by nobody here, hidden and whole', async () => {
    await cutOff();
    await purgeFile(world.open, idOf('file', 2), CODE);
    expect([isStored(1), isStored(2)]).toEqual([true, false]);
    expect(deletedFiles(world.journal.state, world.open.device.id)).toEqual([
      { file: FILE, name: 'file 1.txt' },
    ]);
    expect(deletedFiles(world.journal.state, 'another')).toMatchObject([{ device: 'Laptop' }]);
  });

  it('takes along what was deleted before once somebody has confirmed it by name', async () => {
    await cutOff();
    await purgeFile(world.open, idOf('file', 2), CODE, [FILE]);
    expect([isStored(1), isStored(2)]).toEqual([false, false]);
    expect(deletedFiles(world.journal.state, world.open.device.id)).toEqual([]);
  });

  it('is not touched when its code is none, or is refused', async () => {
    expect(await refusalCode(purgeFile(world.open, FILE, { code: '12345' }))).toBe('code_malformed');
    expect(world.heard).toEqual([]);
    world.interfere = () => Promise.reject(new HalfkeyError('code_wrong', 'no'));
    expect(await refusalCode(purgeFile(world.open, FILE, CODE))).toBe('code_wrong');
    expect(world.heard).toEqual(asked(purgeGrant));
    expect([isListed(), isStored(1)]).toEqual([true, true]);
  });

  it('wants no code when there is no such file', async () => {
    expect(await refusalCode(purgeFile(world.open, idOf('file', 9), CODE))).toBe('not_found');
    expect(world.heard).toEqual([]);
  });
});

describe('a folder that is deleted for good', () => {
  const folder = (number: number) => idOf('folder', number);

  it('goes with all that is in it, and leaves what was put into the trash by itself', async () => {
    for (const number of [3, 4, 5]) await store(number);
    await world.journal.append(() => [
      folderAdd(1, 'Norway'),
      folderAdd(2, 'Cabin', folder(1)),
      fileAdd(3, 'roof', folder(2)),
      fileAdd(4, 'beach', folder(1)),
      fileAdd(5, 'old', folder(1)),
      { kind: 'trash', entry: idOf('file', 5), atMs: 1 },
      { kind: 'trash', entry: folder(1), atMs: 2 },
    ]);
    const { count } = await purgeEntries(world.open, { entries: [folder(1)], also: [] }, CODE);
    expect(count).toBe(2);
    expect([1, 2, 3, 4, 5].map(isStored)).toEqual([true, true, false, false, true]);
    const { state } = world.journal;
    expect([state.entry(folder(1)), state.entry(folder(2))]).toEqual([undefined, undefined]);
    expect(state.entry(idOf('file', 5))).toMatchObject({ folder: '', trashedAtMs: 1 });
  });

  it('leaves what another device put into it meanwhile', async () => {
    await store(3);
    await world.journal.append(() => [folderAdd(1, 'Norway'), fileAdd(3, 'beach', folder(1))]);
    world.interfere = async (route, _request, effect) => {
      if (route === purgeGrant) await world.journal.append(() => [fileAdd(9, 'late', folder(1))]);
      return effect();
    };
    await purgeEntries(world.open, { entries: [folder(1)], also: [] }, CODE);
    expect(isStored(3)).toBe(false);
    expect(world.journal.state.entry(idOf('file', 9))).toMatchObject({ folder: '', name: 'late' });
  });
});

describe('an earlier version that is deleted for good', () => {
  beforeEach(async () => {
    await store(11);
    await world.journal.append(() => [{ kind: 'version-add', file: FILE, version: versionOf(11) }]);
  });

  it('is erased, and the file stays', async () => {
    await purgeVersions(world.open, { file: FILE, blobs: [versionOf(1).blob] }, CODE);
    expect([isStored(1), isStored(11)]).toEqual([false, true]);
    expect([world.journal.state.isGone(FILE), world.journal.state.gone.has(versionOf(1).blob)]).toEqual([
      false,
      true,
    ]);
  });

  it.each([
    ['the newest', versionOf(11).blob],
    ['of another file', versionOf(2).blob],
  ])('is not %s', async (_what, blob) => {
    world.heard.length = 0;
    expect(await refusalCode(purgeVersions(world.open, { file: FILE, blobs: [blob] }, CODE))).toBe(
      'not_found',
    );
    expect(world.times(purgeGrant)).toBe(0);
  });
});
