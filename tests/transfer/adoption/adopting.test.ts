import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { BlobId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { envelopesWrite, keysGenerate, keysRelease } from '$contract/vault-keys.ts';
import { logAppend, logRead } from '$contract/vault-log.ts';
import { randomBytes } from '../../../src/lib/crypto/random.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import type { CapturedFile } from '../../../src/lib/inbox/record.ts';
import { Adopter } from '../../../src/lib/transfer/adoption/adopting.ts';
import { releaseKey } from '../../../src/lib/vault/release.ts';
import { refusalCode } from '../../crypto/refusal.ts';
import { captured } from '../../inbox/inbox-world.ts';
import { folderAdd, idOf, versionOf } from '../../journal/world.ts';
import { withTimersFired } from '../../support/fired-timers.ts';
import { asked, openVaultWorld, type VaultWorld } from '../../support/vault-world.ts';

const never = new AbortController().signal;
let world: VaultWorld;
let adopter: Adopter;

beforeEach(async () => {
  world = await openVaultWorld();
  adopter = new Adopter(() => world.open);
});
/** A file that was uploaded. */
const file = (number: number): CapturedFile => {
  const version = versionOf(number);
  void world.cloud.vaultObjects.create(world.vault, `blobs/${version.blob}`, new Uint8Array(50));
  return captured({
    ...{ file: idOf('file', number), folder: '', name: `${String(number)}.txt` },
    ...{ contentKey: randomBytes(32), version },
  });
};
const keyOf = ({ version: { blob, epoch } }: CapturedFile) =>
  releaseKey(world.open, 'file', { blob: blob as BlobId, epoch });
const isInDrive = ({ version }: CapturedFile) => world.journal.state.hasBlob(version.blob);
/** While no segment is written: what is adopted gets as far as its envelope. */
const withoutEntries = async (work: () => Promise<unknown>) => {
  const { vaultObjects } = world.cloud;
  const create = vaultObjects.create.bind(vaultObjects);
  const cutOff = vi.spyOn(vaultObjects, 'create').mockImplementation((vault, key, bytes) => {
    if (!key.startsWith('log/')) return create(vault, key, bytes);
    return Promise.reject(new HalfkeyError('code_wrong', 'cut off here'));
  });
  await work();
  cutOff.mockRestore();
};
const adopt = (...files: CapturedFile[]) =>
  Promise.allSettled(files.map((each) => adopter.adopt(each, never)));

describe('files that are adopted', () => {
  it('have half, envelope and entry, in that order; those that come together by one request each', async () => {
    const files = [file(1), file(2), file(3)];
    await adopt(...files);
    expect(world.heard).toEqual(asked(keysGenerate, envelopesWrite));
    for (const each of files) {
      expect(await keyOf(each)).toEqual(each.contentKey);
      expect(world.journal.state.entry(each.file)?.name).toBe(each.name);
    }
  });

  it('are asked halves for by as many requests as they need, whatever a code still buys of releases', async () => {
    world.open = { ...world.open, releasesPerCode: () => 1 };
    const outcomes = await adopt(...Array.from({ length: LIMITS.batch + 1 }, (_, number) => file(number)));
    expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(world.times(keysGenerate)).toBe(2);
  });

  it('whose keys were made while they were on their way ask for none, and leave no copy of a key behind', async () => {
    const files = [file(1), file(2)];
    for (const { contentKey, version } of files) {
      adopter.prepare({ blob: version.blob as BlobId, epoch: version.epoch, contentKey });
    }
    await expect.poll(() => world.times(keysGenerate)).toBe(1);
    await adopt(...files);
    expect(world.heard).toEqual(asked(keysGenerate, envelopesWrite));
    for (const each of files) expect(await keyOf(each)).toEqual(each.contentKey);
  });

  it('whose keys could not be made ahead have them made when they are adopted', async () => {
    const one = file(1);
    world.isOpen = false;
    adopter.prepare({
      blob: one.version.blob as BlobId,
      epoch: one.version.epoch,
      contentKey: one.contentKey,
    });
    world.isOpen = true;
    await adopt(one);
    expect(await keyOf(one)).toEqual(one.contentKey);
  });

  it('whose keys were made ahead too long ago have others made: the broker would not take those', async () => {
    const one = file(1);
    const { contentKey, version } = one;
    adopter.prepare({ blob: version.blob as BlobId, epoch: version.epoch, contentKey });
    await expect.poll(() => world.times(keysGenerate)).toBe(1);
    const now = performance.now();
    vi.spyOn(performance, 'now').mockReturnValue(now + LIMITS.envelopeSeconds * 1000);
    await adopt(one);
    vi.restoreAllMocks();
    expect(world.times(keysGenerate)).toBe(2);
    expect(await keyOf(one)).toEqual(contentKey);
  });

  it('have no envelope of another vault, whoever has signed in meanwhile', async () => {
    const one = file(1);
    adopter.prepare({
      blob: one.version.blob as BlobId,
      epoch: one.version.epoch,
      contentKey: one.contentKey,
    });
    const { open } = world;
    world.open = { ...open, vault: 'us-east-1:another' as typeof open.vault };
    await expect.poll(() => world.times(keysGenerate)).toBe(0);
    world.open = open;
    await adopt(one);
    expect(world.times(keysGenerate)).toBe(1);
    expect(await keyOf(one)).toEqual(one.contentKey);
  });

  it('once more cost nothing, not even a release', async () => {
    await adopt(file(1));
    world.heard.length = 0;
    world.isOpen = false;
    expect(await adopt(file(1))).toMatchObject([{ status: 'fulfilled' }]);
    expect(world.heard).toEqual([]);
  });

  it('without a grant are not, and nothing was asked', async () => {
    world.isOpen = false;
    expect(await refusalCode(adopter.adopt(file(1), never))).toBe('locked');
    expect(world.heard).toEqual([]);
  });

  it('that were called off before their turn are not, and their batch is', async () => {
    const controller = new AbortController();
    const [off, on] = [file(1), file(2)];
    const outcomes = [adopter.adopt(off, controller.signal), adopter.adopt(on, never)];
    controller.abort();
    expect(await Promise.allSettled(outcomes)).toMatchObject([
      { status: 'rejected', reason: { name: 'AbortError' } },
      { status: 'fulfilled' },
    ]);
    expect([isInDrive(off), isInDrive(on)]).toEqual([false, true]);
  });
});

describe('an adoption that was cut off', () => {
  it('after its envelope was written goes on with the same one, and without another half', async () => {
    const one = file(1);
    world.interfere = async (route, _request, effect) => {
      if (route === envelopesWrite) {
        await effect();
        throw new HalfkeyError('code_wrong', 'cut off here');
      }
      return effect();
    };
    expect(await refusalCode(adopter.adopt(one, never))).toBe('code_wrong');
    expect(isInDrive(one)).toBe(false);
    world.interfere = (_route, _request, effect) => effect();
    await adopter.adopt(one, never);
    expect([world.times(keysGenerate), await keyOf(one)]).toEqual([1, one.contentKey]);
  });

  it('by a tab that died goes on with the envelope that is there: it holds the same key', async () => {
    const one = file(1);
    await withoutEntries(() => adopt(one));
    adopter = new Adopter(() => world.open);
    world.heard.length = 0;
    await adopter.adopt(one, never);
    expect(world.heard).toEqual(asked(keysGenerate, envelopesWrite, keysRelease, logAppend));
    expect([isInDrive(one), await keyOf(one)]).toEqual([true, one.contentKey]);
  });

  it('because another device wrote first sends no envelope a second time', async () => {
    const other = await world.openJournal();
    world.heard.length = 0;
    world.interfere = async (route, _request, effect) => {
      if (route !== envelopesWrite) return effect();
      world.interfere = (_route, _request, effect) => effect();
      await other.append(() => [folderAdd(1, 'By another')]);
      return effect();
    };
    await adopter.adopt(file(1), never);
    const ofThis = world.heard.filter((each) => each !== asked(logAppend)[0]);
    expect(ofThis).toEqual(asked(keysGenerate, envelopesWrite, logRead));
    expect(world.times(logAppend)).toBe(2);
    expect(isInDrive(file(1))).toBe(true);
  });

  it('by silence is tried again', async () => {
    let faults = 3;
    world.interfere = (_route, _request, effect) =>
      faults-- > 0 ? Promise.reject(new HalfkeyError('broker_unreachable', 'x')) : effect();
    await withTimersFired(() => adopter.adopt(file(1), never));
    expect([isInDrive(file(1)), world.times(keysGenerate)]).toEqual([true, 4]);
  });
});

describe('a blob that has an envelope of another key', () => {
  it('is refused, and those beside it are adopted', async () => {
    const [taken, free] = [file(1), file(2)];
    await withoutEntries(() => adopt({ ...taken, contentKey: randomBytes(32) }));
    adopter = new Adopter(() => world.open);
    expect(await adopt(taken, free)).toMatchObject([
      { status: 'rejected', reason: { code: 'envelope_corrupt' } },
      { status: 'fulfilled' },
    ]);
    expect([isInDrive(taken), isInDrive(free)]).toEqual([false, true]);
  });
});

describe('one of a batch that the broker refuses', () => {
  const refusing = (code: string) => {
    world.interfere = (route, _request, effect) => {
      if (route !== envelopesWrite) return effect();
      const { blob, epoch } = file(1).version;
      return Promise.resolve({ refused: [{ blob, epoch, code }] });
    };
  };

  it.each(['purged', 'upload_lost', 'grant_missing'])('as %s keeps none of the others', async (code) => {
    refusing(code);
    expect(await adopt(file(1), file(2))).toMatchObject([
      { status: 'rejected', reason: { code } },
      { status: 'fulfilled' },
    ]);
    expect([isInDrive(file(1)), isInDrive(file(2))]).toEqual([false, true]);
  });

  it('because its proof is too old gets another half at the next try', async () => {
    const one = file(1);
    refusing('grant_missing');
    await adopt(one);
    world.interfere = (_route, _request, effect) => effect();
    await adopter.adopt(one, never);
    expect(world.times(keysGenerate)).toBe(2);
  });

  it('by making no half for it keeps none of the others', async () => {
    world.interfere = async (route, _request, effect) => {
      const answer = (await effect()) as { keys: object[] };
      return route === keysGenerate ? { keys: answer.keys.slice(1) } : answer;
    };
    expect(await adopt(file(1), file(2))).toMatchObject([
      { status: 'rejected', reason: { code: 'key_absent' } },
      { status: 'fulfilled' },
    ]);
  });
});

it('is not content with a half for another blob', async () => {
  world.interfere = async (route, _request, effect) => {
    const answer = (await effect()) as { keys: { blob: string }[] };
    if (route === keysGenerate) answer.keys[0]!.blob = idOf('blob', 9);
    return answer;
  };
  expect(await refusalCode(adopter.adopt(file(1), never))).toBe('key_absent');
  expect(world.times(envelopesWrite)).toBe(0);
});
