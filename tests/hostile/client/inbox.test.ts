import { expect } from 'vitest';
import type { BlobId } from '$contract/ids.ts';
import { inboxList, inboxRead } from '$contract/vault-inbox.ts';
import { encodeEnvelope } from '../../../broker/domain/vault/keys.ts';
import type { Bytes } from '../../../src/lib/bytes.ts';
import { generateAgreementKeyPair } from '../../../src/lib/crypto/agreement.ts';
import { randomBytes } from '../../../src/lib/crypto/random.ts';
import { generateDeviceKeyPair } from '../../../src/lib/crypto/signing.ts';
import { openRecord, readRecord, sealRecord, type CapturedFile } from '../../../src/lib/inbox/record.ts';
import { certifyDevice } from '../../../src/lib/journal/entries/certificate.ts';
import { journalRemote } from '../../../src/lib/drive/journal-remote.ts';
import { Journal } from '../../../src/lib/journal/journal.ts';
import { Adopter } from '../../../src/lib/transfer/adoption/adopting.ts';
import { InboxAdoption } from '../../../src/lib/transfer/adoption/inbox-adoption.ts';
import { InboxKeys } from '../../../src/lib/transfer/adoption/inbox-keys.ts';
import { captured } from '../../inbox/inbox-world.ts';
import { MemoryCache } from '../../journal/memory-remote.ts';
import { idOf, versionOf } from '../../journal/world.ts';
import { sha256B64 } from '../../support/memory-vault-cloud.ts';
import { TestLocks } from '../../support/test-locks.ts';
import { envelopeOf } from '../../support/vault-side.ts';
import { openVaultWorld, type VaultWorld } from '../../support/vault-world.ts';
import { row } from '../support/row.ts';

// Group J: an enrolled device in the wrong hands, against what other devices capture and adopt. The broker is the real
// vault side.

/** The owner's device, which adopts. */
async function openOwner() {
  const world = await openVaultWorld();
  const vault = () => world.open;
  const told: unknown[] = [];
  const adoption = new InboxAdoption({
    ...{ vault, adopter: new Adopter(vault), keys: new InboxKeys(vault), nowMs: () => world.nowMs },
    locks: new TestLocks().client().locks,
    ownRecord: () => Promise.resolve(undefined),
    waitingHere: () => Promise.resolve([]),
    onRefused: (count) => told.push(count),
    onFailed: (error) => told.push(error),
  });
  return { world, adoption, told };
}

/** Another device of the vault, with everything but a code. */
async function openThief(world: VaultWorld): Promise<Journal> {
  const keys = await generateDeviceKeyPair();
  const device = { id: idOf('device', 66), ...keys, agreementKey: randomBytes(32) };
  const account = world.session.account;
  const { id, publicKey, agreementKey } = device;
  const certified = { device: id, publicKey, agreementKey };
  const certificate = await certifyDevice(world.identity.privateKey, account, certified);
  await world.journal.appendByIdentity(world.identity.privateKey, [
    { kind: 'device-enrol', ...certified, name: 'X', certificate },
  ]);
  const { vault, epoch, vaultKey } = world.open;
  return Journal.open({
    identity: {
      ...{ vault, account, vaultKeys: [{ epoch, vaultKey }] },
      ...{ identityPublicKey: world.identity.publicKey, device },
    },
    remote: journalRemote(world.broker, vault),
    cache: new MemoryCache(),
    nowMs: () => world.nowMs,
    pauseMs: () => Promise.resolve(),
  });
}

/** A file whose blob S3 holds. */
async function uploaded(world: VaultWorld, number: number): Promise<CapturedFile> {
  const bytes = randomBytes(50);
  await world.cloud.vaultObjects.create(world.vault, `blobs/${idOf('blob', number)}`, bytes);
  return captured({
    ...{ file: idOf('file', number), folder: '', name: `${String(number)}.txt`, contentKey: randomBytes(32) },
    version: { ...versionOf(number), sealedBytes: 50, digest: sha256B64(bytes) },
  });
}

/** As the owner's device leaves it without a code. */
async function capture(world: VaultWorld, file: CapturedFile): Promise<Bytes> {
  const { vault, device, inboxUse } = world.open;
  const record = await inboxUse.seal((inbox) => sealRecord(file, { vault, inbox, device }));
  await world.cloud.vaultObjects.create(vault, `inbox/${device.id}/${file.version.blob}`, record);
  return record;
}

row(
  'J1',
  {
    attack: 'an inbox key of a stolen device’s own',
    tried:
      'published as the newest, again and again, before and between captures of another device; then every record opened with it',
  },
  async (t) => {
    const { world, adoption } = await openOwner();
    const thief = await openThief(world);
    const pairs = new Map<number, Awaited<ReturnType<typeof generateAgreementKeyPair>>>();
    for (let number = 1; number <= (t.full ? 50 : 5); number++) {
      const pair = await generateAgreementKeyPair();
      const epoch = number;
      pairs.set(epoch, pair);
      const inbox = { blob: idOf('inbox', 100 + number), publicKey: pair.publicKey, epoch };
      await thief.append(() => [{ kind: 'inbox-key', inbox, atMs: world.nowMs }]);
      await world.journal.refresh();
      expect(world.journal.state.newestInboxKey?.epoch).toBe(epoch);
      const file = await uploaded(world, number);
      const record = await capture(world, file);
      const signed = await readRecord(world.journal.state, world.vault, file.version.blob, record);
      const stolen = pairs.get(signed.inboxEpoch) ?? pair;
      const key = { epoch: signed.inboxEpoch, ...stolen };
      await t.refuses(
        openRecord(signed, { vault: world.vault, blob: file.version.blob }, key),
        'inbox_refused',
      );
    }
    await adoption.now();
    expect(world.journal.state.entry(idOf('file', 1))?.name).toBe('1.txt');
    t.held(
      'all captures are sealed to a key that their own device or the identity key made, and are adopted',
    );
  },
);

row(
  'J3',
  {
    attack: 'a stolen device names a blob that waits, so that the capture is thrown away as known',
    tried:
      'as another file’s, with another digest, another size, as a version of a file that there is; then the owner’s next code',
  },
  async (t) => {
    const { world, adoption, told } = await openOwner();
    const thief = await openThief(world);
    const lies = [
      (file: CapturedFile) => ({ file: idOf('file', 900), version: file.version }),
      (file: CapturedFile) => ({
        file: file.file,
        version: { ...file.version, digest: sha256B64(randomBytes(3)) },
      }),
      (file: CapturedFile) => ({ file: file.file, version: { ...file.version, sealedBytes: 49 } }),
    ];
    const files: CapturedFile[] = [];
    for (const [index, lie] of lies.entries()) {
      const file = await uploaded(world, index + 1);
      files.push(file);
      await capture(world, file);
      await thief.append(() => [
        { kind: 'file-add', folder: '', name: `mine ${String(index)}`, ...lie(file) },
      ]);
      t.vary(1);
    }
    const free = await uploaded(world, 50);
    await capture(world, free);
    await adoption.now();
    const { names } = await world.side.inbox.list(world.vault, '');
    expect(names.map(({ blob }) => blob).sort()).toEqual(files.map(({ version }) => version.blob).sort());
    expect(told).toEqual([files.length]);
    expect(world.journal.state.entry(free.file)?.name).toBe(free.name);
    t.held('each capture stays in the inbox and is told of; what nobody named is adopted');
  },
);

row(
  'J5',
  {
    attack: 'one squatted, damaged or unreadable thing in a batch of captures',
    tried:
      'an envelope of somebody else’s at a waiting blob, by who writes to the bucket; a record of noise; a broker that refuses one blob, and one that lists, or answers, what it was not asked for',
  },
  async (t) => {
    const { world, adoption, told } = await openOwner();
    const [squatted, refused, free] = [
      await uploaded(world, 1),
      await uploaded(world, 2),
      await uploaded(world, 3),
    ];
    for (const file of [squatted, refused, free]) await capture(world, file);
    const key = (file: CapturedFile) => `keys/${file.version.blob}/${String(world.open.epoch)}`;
    const foreign = encodeEnvelope(envelopeOf(randomBytes(64), world.open.epoch));
    await world.cloud.vaultObjects.create(world.vault, key(squatted), foreign);
    const noise = { device: world.session.device, blob: idOf('blob', 9) as BlobId };
    await world.cloud.vaultObjects.create(
      world.vault,
      `inbox/${noise.device}/${noise.blob}`,
      randomBytes(1160),
    );
    world.interfere = async (route, _request, effect) => {
      const answer = (await effect()) as { keys?: { blob: string }[]; records?: object[] };
      if (answer.keys) answer.keys = answer.keys.filter(({ blob }) => blob !== refused.version.blob);
      if (route === inboxRead) answer.records?.push({ ...answer.records[0], blob: idOf('blob', 77) });
      return answer;
    };
    await adoption.now();
    expect(world.journal.state.entry(free.file)?.name).toBe(free.name);
    expect(world.journal.state.entry(squatted.file)).toBeUndefined();
    expect(told).toEqual([3]);
    t.refused('envelope_corrupt');
    t.refused('inbox_refused');
    t.vary(4);
    world.interfere = (_route, _request, effect) => effect();
    adoption.close(); // The next code.
    await adoption.now();
    expect(world.journal.state.entry(refused.file)?.name).toBe(refused.name);
    t.held('each is refused by itself; the others of its batch are adopted');
  },
);

row(
  'J7',
  {
    attack: 'hundreds of junk records in the inbox',
    tried:
      '300 of them, of noise, signed by nobody; what each look at the inbox costs the store after the first',
  },
  async (t) => {
    const { world, adoption } = await openOwner();
    for (let number = 1; number <= 300; number++) {
      const name = `inbox/${idOf('device', number)}/${idOf('blob', number)}`;
      await world.cloud.vaultObjects.create(world.vault, name, randomBytes(1160));
    }
    const file = await uploaded(world, 999);
    await capture(world, file);
    await adoption.now();
    expect(world.journal.state.entry(file.file)?.name).toBe(file.name);
    let requests = 0;
    for (const what of ['read', 'describe', 'list'] as const) {
      const { vaultObjects } = world.cloud;
      const own = vaultObjects[what].bind(vaultObjects) as (...args: unknown[]) => Promise<unknown>;
      Object.assign(world.cloud.vaultObjects, {
        [what]: (...args: unknown[]) => {
          requests += 1;
          return own(...args);
        },
      });
    }
    world.heard.length = 0;
    await adoption.now();
    expect([requests, world.times(inboxList), world.times(inboxRead)]).toEqual([1, 1, 0]);
    t.vary(300);
    t.held('one listing a look; what waits beside them is adopted');
  },
);
