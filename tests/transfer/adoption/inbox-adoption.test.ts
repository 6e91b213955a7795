import { beforeEach, describe, expect, it } from 'vitest';
import type { BlobId } from '$contract/ids.ts';
import { inboxList, inboxRead, inboxRemove, type StoredBlob } from '$contract/vault-inbox.ts';
import { envelopesWrite, keysGenerate, keysRelease } from '$contract/vault-keys.ts';
import { encodeEnvelope } from '../../../broker/domain/vault/keys.ts';
import type { Bytes } from '../../../src/lib/bytes.ts';
import { generateAgreementKeyPair } from '../../../src/lib/crypto/agreement.ts';
import { randomBytes } from '../../../src/lib/crypto/random.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import { sealRecord, type CapturedFile } from '../../../src/lib/inbox/record.ts';
import { Adopter } from '../../../src/lib/transfer/adoption/adopting.ts';
import { InboxAdoption } from '../../../src/lib/transfer/adoption/inbox-adoption.ts';
import { InboxKeys } from '../../../src/lib/transfer/adoption/inbox-keys.ts';
import { releaseKey } from '../../../src/lib/vault/release.ts';
import { captured } from '../../inbox/inbox-world.ts';
import { idOf, versionOf } from '../../journal/world.ts';
import { sha256B64 } from '../../support/memory-vault-cloud.ts';
import { TestLocks } from '../../support/test-locks.ts';
import { envelopeOf } from '../../support/vault-side.ts';
import { asked, openVaultWorld, WORLD_NOW_MS, type VaultWorld } from '../../support/vault-world.ts';

const DAY_MS = 24 * 60 * 60_000;
let world: VaultWorld;
let refused: number[];
let failed: unknown[];
let adoption: InboxAdoption;
let adopter: Adopter;
/** What waits on this device. */
let here: { blob: BlobId; record: Bytes }[];

beforeEach(async () => {
  world = await openVaultWorld();
  [refused, failed, here] = [[], [], []];
  openTab();
});
function openTab(): void {
  const vault = () => world.open;
  adopter = new Adopter(vault);
  adoption = new InboxAdoption({
    ...{ vault, adopter, keys: new InboxKeys(vault), nowMs: () => world.nowMs },
    locks: new TestLocks().client().locks,
    ownRecord: () => Promise.resolve(undefined),
    waitingHere: () => Promise.resolve(here),
    onRefused: (count) => refused.push(count),
    onFailed: (error) => failed.push(error),
  });
}

/** A file whose blob S3 holds. */
async function upload(number: number): Promise<CapturedFile> {
  const bytes = randomBytes(50);
  await world.cloud.vaultObjects.create(world.vault, `blobs/${idOf('blob', number)}`, bytes);
  return captured({
    ...{ file: idOf('file', number), folder: '', name: `${String(number)}.txt`, contentKey: randomBytes(32) },
    version: { ...versionOf(number), sealedBytes: 50, digest: sha256B64(bytes) },
  });
}
/** As a device without a grant leaves it. */
async function save(file: CapturedFile, device = world.open.device): Promise<Uint8Array<ArrayBuffer>> {
  const inbox = (await world.open.inboxUse.newest())!;
  const record = await sealRecord(file, { vault: world.vault, inbox, device });
  await put(file, record, device.id);
  return record;
}
/** Whatever it is: as who writes to the bucket may. */
const put = ({ version }: CapturedFile, record: Bytes, device = world.open.device.id) =>
  world.cloud.vaultObjects.create(world.vault, `inbox/${device}/${version.blob}`, record);
const inInbox = async () => (await world.side.inbox.list(world.vault, '')).names.map(({ blob }) => blob);
const names = () =>
  [1, 2, 3].flatMap((number) => world.journal.state.entry(idOf('file', number))?.name ?? []);

describe('what lies in the inbox', () => {
  it('is taken into the drive with a grant, and leaves the inbox', async () => {
    const files = [await upload(1), await upload(2)];
    for (const each of files) await save(each);
    await adoption.now();
    expect([names(), await inInbox(), failed, refused]).toEqual([['1.txt', '2.txt'], [], [], []]);
    const blob = files[0]!.version.blob as BlobId;
    expect(await releaseKey(world.open, 'file', { blob, epoch: 0 })).toEqual(files[0]!.contentKey);
  });

  it('stays where it is without one, and nobody is asked', async () => {
    await save(await upload(1));
    world.isOpen = false;
    world.heard.length = 0;
    await adoption.now();
    expect([names(), world.heard, failed]).toEqual([[], [], []]);
  });

  it('stays, where a device put it there that is doubted since before', async () => {
    const [before, since] = [await upload(1), await upload(2)];
    for (const each of [before, since]) await save(each);
    const device = world.open.device.id;
    const key = `v/${world.vault}/inbox/${device}/${before.version.blob}`;
    world.cloud.objects.set(key, { ...world.cloud.objects.get(key)!, modifiedMs: WORLD_NOW_MS - 1 });
    const doubted = { device, sinceMs: WORLD_NOW_MS };
    world.isOpen = false;
    await expect(adoption.allBut(doubted)).rejects.toMatchObject({ code: 'locked' });
    world.isOpen = true;
    for (const look of [adoption.now, () => adoption.allBut(doubted)]) {
      await look();
      expect([names(), await inInbox(), refused]).toEqual([['1.txt'], [since.version.blob], []]);
    }
  });

  it('is opened by one release of the inbox key, however many there are', async () => {
    for (const number of [1, 2, 3]) await save(await upload(number));
    await adoption.now();
    expect(world.times(keysRelease)).toBe(1);
  });

  it('and in the drive already leaves the inbox without another half for its file', async () => {
    const file = await upload(1);
    await save(file);
    await adoption.now();
    await save(file);
    world.heard.length = 0;
    await adoption.now();
    expect([await inInbox(), world.times(keysGenerate)]).toEqual([[], 0]);
  });

  it('leaves the inbox when its blob was deleted for good since', async () => {
    const file = await upload(1);
    const record = await save(file);
    const { id: grant } = await world.side.grants.issue(world.session, { kind: 'purge' });
    await world.side.purge.purge(world.session, world.vault, { grant, blobs: [file.version.blob as BlobId] });
    await put(file, record);
    await adoption.now();
    expect([names(), await inInbox(), refused]).toEqual([[], [], []]);
  });

  it('is joined by what this device has sent, and the inbox had no room for', async () => {
    const file = await upload(1);
    const inbox = (await world.open.inboxUse.newest())!;
    const record = await sealRecord(file, { vault: world.vault, inbox, device: world.open.device });
    here = [{ blob: file.version.blob as BlobId, record }];
    await adoption.now();
    expect([names(), failed]).toEqual([['1.txt'], []]);
  });

  it('is not joined by what this device has sent, and is just adopting', async () => {
    const file = await upload(1);
    const inbox = (await world.open.inboxUse.newest())!;
    const record = await sealRecord(file, { vault: world.vault, inbox, device: world.open.device });
    here = [{ blob: file.version.blob as BlobId, record }];
    world.interfere = async (route, _request, effect) => {
      // It would wait for what it is in the middle of.
      if (route === keysGenerate) await adoption.now();
      return effect();
    };
    await adopter.adopt(file, new AbortController().signal);
    expect([names(), world.times(keysGenerate), world.times(envelopesWrite)]).toEqual([['1.txt'], 1, 1]);
  });

  it('is looked at once more when a call comes while it is', async () => {
    await save(await upload(1));
    const first = adoption.now();
    await Promise.all([first, adoption.now(), adoption.now()]);
    expect(world.times(inboxList)).toBe(2);
  });

  it('stays when it was adopted and not removed, and goes the next time', async () => {
    await save(await upload(1));
    world.interfere = (route, _request, effect) =>
      route === inboxRemove ? Promise.reject(new HalfkeyError('grant_missing', 'x')) : effect();
    await adoption.now();
    expect([names(), (await inInbox()).length, failed]).toEqual([['1.txt'], 1, []]);
    world.interfere = (_route, _request, effect) => effect();
    await adoption.now();
    expect([names(), await inInbox()]).toEqual([['1.txt'], []]);
  });
});

describe('a record that nobody vouches for', () => {
  it('is refused, told of, and leaves the others to be adopted', async () => {
    await save(await upload(1), { ...world.open.device, id: idOf('device', 9) });
    await save(await upload(2));
    await adoption.now();
    expect([names(), refused, await inInbox()]).toEqual([['2.txt'], [1], [idOf('blob', 1)]]);
  });

  it('is told of once, until there is another', async () => {
    const stranger = { ...world.open.device, id: idOf('device', 9) };
    await save(await upload(1), stranger);
    await adoption.now();
    await adoption.now();
    expect(refused).toEqual([1]);
    await save(await upload(2), stranger);
    await adoption.now();
    expect(refused).toEqual([1, 2]);
  });

  it.each<[string, (stored: StoredBlob) => StoredBlob | null]>([
    ['of another size', (stored) => ({ ...stored, sizeBytes: 51 })],
    ['of other bytes', (stored) => ({ ...stored, digest: sha256B64(new Uint8Array(1)) })],
    ['no more', () => null],
  ])('is one, too, whose blob the store holds %s', async (_case, change) => {
    await save(await upload(1));
    world.interfere = async (route, _request, effect) => {
      const answer = (await effect()) as { records: { stored: StoredBlob }[] };
      if (route !== inboxRead) return answer;
      return { ...answer, records: answer.records.map((each) => ({ ...each, stored: change(each.stored) })) };
    };
    await adoption.now();
    expect([names(), refused]).toEqual([[], [1]]);
    world.interfere = (_route, _request, effect) => effect();
    adoption.close(); // The next code.
    await adoption.now();
    expect([names(), await inInbox()]).toEqual([['1.txt'], []]);
  });

  it('is not read again, however often the inbox is looked into, until there are other devices or keys', async () => {
    for (let number = 1; number <= 5; number++) await put(await upload(number), randomBytes(1160));
    await adoption.now();
    world.heard.length = 0;
    await adoption.now();
    expect([world.heard, refused]).toEqual([asked(inboxList), [5]]);
    world.journal.state.devices.set(idOf('device', 9), {
      ...world.journal.state.devices.values().next().value!,
    });
    await adoption.now();
    expect(world.times(inboxRead)).toBe(1);
  });

  it('is not looked at for every change of the journal, but for other devices and keys', async () => {
    await put(await upload(1), randomBytes(1160));
    await adoption.now();
    world.heard.length = 0;
    adoption.journalChanged();
    expect(world.times(inboxList)).toBe(0);
    world.journal.state.devices.set(idOf('device', 9), {
      ...world.journal.state.devices.values().next().value!,
    });
    adoption.journalChanged();
    await expect.poll(() => world.times(inboxRead)).toBe(1);
  });
});

describe('a blob that the journal names already', () => {
  /** Somebody has read in the inbox which blobs wait, and names one. */
  const name = (file: CapturedFile, as: Partial<CapturedFile['version']> & { file?: string }) => {
    const { file: id = file.file, ...version } = as;
    return world.journal.append(() => [
      {
        ...{ kind: 'file-add', file: id, folder: '', name: 'mine.txt' },
        version: { ...file.version, ...version },
      },
    ]);
  };

  it.each<[string, Parameters<typeof name>[1]]>([
    ['as another file’s', { file: idOf('file', 77) }],
    ['with another digest', { digest: sha256B64(new Uint8Array(3)) }],
    ['with another size', { sealedBytes: 51 }],
  ])('%s does not have its record thrown away, and it is told', async (_how, as) => {
    const file = await upload(1);
    await save(file);
    await save(await upload(2));
    await name(file, as);
    await adoption.now();
    expect([await inInbox(), refused]).toEqual([[file.version.blob], [1]]);
    expect(world.journal.state.entry(idOf('file', 2))?.name).toBe('2.txt');
  });

  it('as it is has, once the record was opened', async () => {
    const file = await upload(1);
    await save(file);
    await name(file, {});
    await adoption.now();
    expect([await inInbox(), refused]).toEqual([[], []]);
  });

  it('keeps a record that does not open', async () => {
    const file = await upload(1);
    await put(file, randomBytes(1160));
    await name(file, {});
    await adoption.now();
    expect([await inInbox(), refused]).toEqual([[file.version.blob], [1]]);
  });
});

describe('one that cannot be adopted', () => {
  it('because its blob has another envelope keeps none of the others', async () => {
    const [taken, free] = [await upload(1), await upload(2)];
    for (const each of [taken, free]) await save(each);
    await world.cloud.vaultObjects.create(
      world.vault,
      `keys/${taken.version.blob}/${String(world.open.epoch)}`,
      encodeEnvelope(envelopeOf(randomBytes(64), world.open.epoch)),
    );
    await adoption.now();
    expect([names(), await inInbox(), refused, failed]).toEqual([['2.txt'], [taken.version.blob], [1], []]);
  });

  it('because the envelope of its inbox key is gone keeps none of another key, and no new key away', async () => {
    await save(await upload(1));
    world.nowMs = WORLD_NOW_MS + DAY_MS + 1;
    await new InboxKeys(() => world.open).renew(world.nowMs, new AbortController().signal);
    await save(await upload(2));
    const { blob } = world.journal.state.inboxKey(0)!;
    world.cloud.objects.delete(`v/${world.vault}/keys/${blob}/${String(world.open.epoch)}`);
    world.nowMs += DAY_MS;
    await adoption.now();
    expect([names(), refused, failed]).toEqual([['2.txt'], [1], []]);
    expect(world.journal.state.newestInboxKey?.epoch).toBe(2);
  });
});

describe('a failure', () => {
  it('that the next code or minute mends is not told of', async () => {
    await save(await upload(1));
    for (const code of ['locked', 'grant_spent', 'session_missing'] as const) {
      world.interfere = () => Promise.reject(new HalfkeyError(code, 'x'));
      await adoption.now();
    }
    expect(failed).toEqual([]);
  });

  it('that trying again does not mend is', async () => {
    await save(await upload(1));
    const error = new HalfkeyError('journal_corrupt', 'x');
    world.interfere = () => Promise.reject(error);
    await adoption.now();
    expect(failed).toEqual([error]);
  });
});

describe('a lock', () => {
  it('ends what is under way, and closes the keys that were opened', async () => {
    await save(await upload(1));
    world.interfere = async (route, _request, effect) => {
      const answer = await effect();
      if (route === keysRelease) {
        adoption.close();
        world.isOpen = false;
      }
      return answer;
    };
    await adoption.now();
    expect([names(), failed]).toEqual([[], []]);
    world.interfere = (_route, _request, effect) => effect();
    world.isOpen = true;
    await adoption.now();
    expect([names(), world.times(keysRelease)]).toEqual([['1.txt'], 2]);
  });
});

it('has another device’s key, which may be a thief’s, neither sealed to nor taken for its own renewal', async () => {
  const { publicKey } = await generateAgreementKeyPair();
  const theirs = { blob: idOf('inbox', 9), publicKey, epoch: 1 };
  await world.journal.append(() => [{ kind: 'inbox-key', inbox: theirs, atMs: world.nowMs }]);
  expect(world.journal.state.newestInboxKey?.epoch).toBe(1);
  expect((await world.open.inboxUse.newest())?.epoch).toBe(0);
  await world.open.inboxUse.seal(({ epoch }) => {
    expect(epoch).toBe(0);
    return Promise.resolve();
  });
  world.nowMs = WORLD_NOW_MS + DAY_MS + 1;
  await adoption.now();
  expect((await world.open.inboxUse.newest())?.epoch).toBe(2);
  expect(await world.open.inboxUse.oldestNeeded()).toBe(2);
});

it('publishes a new inbox key once the newest is a day old', async () => {
  await adoption.now();
  expect(world.journal.state.newestInboxKey?.epoch).toBe(0);
  world.nowMs = WORLD_NOW_MS + DAY_MS + 1;
  await adoption.now();
  expect(world.journal.state.newestInboxKey?.epoch).toBe(1);
});
