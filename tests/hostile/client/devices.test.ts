import { logAppend } from '$contract/vault-log.ts';
import { LIMITS } from '$contract/limits.ts';
import { expect } from 'vitest';
import { toB64Url, utf8, type Bytes } from '../../../src/lib/bytes.ts';
import { randomBytes } from '../../../src/lib/crypto/random.ts';
import { generateDeviceKeyPair } from '../../../src/lib/crypto/signing.ts';
import { purgeEntries } from '../../../src/lib/drive/purge.ts';
import { encodeOperation } from '../../../src/lib/journal/entries/operation-codec.ts';
import type { Operation } from '../../../src/lib/journal/entries/operations.ts';
import { journalKey, sealSegment } from '../../../src/lib/journal/entries/segment.ts';
import { Client } from '../support/client.ts';
import { otpauthCode } from '../support/otpauth-code.ts';
import { row } from '../support/row.ts';
import { setUpHostileWorld } from '../support/world.ts';

// Group J: an enrolled device in the wrong hands, or its cookie, without a code. It has the vault key, and signs what
// it likes.

const world = setUpHostileWorld();

/** An owner with a few files, and a device of theirs that somebody took. */
async function stolen(userName: string): Promise<{ owner: Client; thief: Client }> {
  const owner = await Client.signUp(world, userName);
  const thief = await Client.signIn(owner);
  thief.grant = undefined; // Its five minutes are over.
  thief.proof = undefined;
  await owner.journal.refresh();
  return { owner, thief };
}

interface Forgery {
  /** Id of a device; undefined for the identity key. */
  readonly writer?: string | undefined;
  readonly privateKey?: CryptoKey;
  readonly journalKey?: Bytes;
  readonly epoch?: number;
  readonly operations?: readonly Operation[];
}

/** A segment behind the log's end, as no program writes it. */
async function segmentBy(client: Client, more: Forgery = {}): Promise<string> {
  await client.journal.refresh();
  const { vault, epoch, key: vaultKey } = client.keyring.vaultKey;
  const sealing = await journalKey(vault, more.epoch ?? epoch, vaultKey);
  const device = 'writer' in more ? more.writer : client.device.id;
  const sequence = new Uint8Array((more.operations ?? []).flatMap((each) => [...encodeOperation(each)]));
  const signer = { device, privateKey: more.privateKey ?? client.device.privateKey };
  const key = { ...sealing, key: more.journalKey ?? sealing.key };
  return toB64Url(await sealSegment(key, client.journal.head, sequence, signer));
}

const send = ({ broker, vault }: Client, segment: string, proof?: string) =>
  broker.call(logAppend, { segment, proof }, { vault });

row(
  'J2',
  {
    attack: 'a segment that nobody can read, or nobody signed',
    tried:
      'sent with a cookie alone, in others’ names, under the identity key’s with no proof, of another epoch; signed by the device and sealed under no key; as fast as it goes',
  },
  async (t) => {
    const { owner, thief } = await stolen('judith');
    const stranger = await generateDeviceKeyPair();
    const byIdentity = { writer: undefined, privateKey: owner.keyring.identity.privateKey };
    const attempts: [Promise<string>, string | undefined, string][] = [
      [Promise.resolve(toB64Url(randomBytes(700))), undefined, 'input_malformed'],
      [segmentBy(thief, { privateKey: stranger.privateKey }), undefined, 'input_malformed'],
      [segmentBy(thief, { writer: owner.device.id }), undefined, 'input_malformed'],
      [
        segmentBy(thief, { writer: owner.device.id, privateKey: owner.device.privateKey }),
        undefined,
        'input_malformed',
      ],
      [segmentBy(thief, { writer: undefined }), undefined, 'proof_missing'],
      [segmentBy(thief, { writer: undefined }), owner.proof, 'proof_missing'],
      [segmentBy(thief, byIdentity), undefined, 'proof_missing'],
      [segmentBy(thief, byIdentity), toB64Url(randomBytes(32)), 'proof_missing'],
      [segmentBy(thief, { epoch: 1 }), undefined, 'input_malformed'],
    ];
    const { head } = owner.journal;
    for (const [segment, proof, code] of attempts) await t.refuses(send(thief, await segment, proof), code);
    // Who has a proof, and not the key that it is for.
    const owners = segmentBy(owner, { writer: undefined });
    await t.refuses(send(owner, await owners, owner.proof), 'input_malformed');
    await owner.journal.refresh();
    expect(owner.journal.head).toEqual(head);

    // What the device signs is let in: the broker cannot open it. Nobody stops at it.
    await send(thief, await segmentBy(thief, { journalKey: randomBytes(32) }));
    await owner.journal.refresh();
    expect(owner.journal.problem).toBeUndefined();
    expect(owner.journal.voided).toMatchObject([{ writer: thief.device.id, isSigned: true }]);
    const { file } = await owner.upload('after.txt', utf8('goes on'));
    const joined = await Client.signIn(owner);
    expect(joined.journal.state.entry(file)?.name).toBe('after.txt');
    t.held('who wrote it is named, every device goes on, and new ones join');

    let written = 1;
    // One more a second comes free meanwhile.
    for (; written < 2 * LIMITS.segmentBurst; written++) {
      const error = await send(thief, await segmentBy(thief)).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error) break;
    }
    expect(written).toBeGreaterThanOrEqual(LIMITS.segmentBurst);
    expect(written).toBeLessThan(2 * LIMITS.segmentBurst);
    t.refused('too_many_requests');
    await owner.journal.append(() => [{ kind: 'rename', entry: file, name: 'still.txt' }]);
    t.vary(written);
  },
);

row(
  'J3',
  {
    attack: 'deleting under somebody else’s code',
    tried:
      'a device purges every file, says that they are erased; the owner deletes another file for good, then revokes the device since before',
  },
  async (t) => {
    const { owner, thief } = await stolen('julian');
    const contents = ['one', 'two', 'three', 'four'].map((text) => utf8(text));
    const files: string[] = [];
    for (const [index, content] of contents.entries()) {
      files.push((await owner.upload(`${String(index)}.txt`, content)).file);
    }
    const [own = '', ...others] = files;
    const blobs = others.flatMap((file) => owner.journal.state.versionsOf(file).map(({ blob }) => blob));
    const since = owner.journal.head.seq + 1;
    await thief.journal.refresh();
    await thief.journal.append(() => others.map((entry) => ({ kind: 'purge', entry }) as const));
    await owner.journal.refresh();
    expect(owner.journal.state.hiddenFiles().map(({ name }) => name)).toEqual(['1.txt', '2.txt', '3.txt']);
    const code = { code: await otpauthCode(owner.credentials.totpSecret, world.clock) };
    await purgeEntries(owner.openVault, { entries: [own], also: [] }, code);
    expect(owner.journal.state.hiddenFiles()).toHaveLength(others.length);
    await thief.journal.refresh();
    await thief.journal.append(() => [{ kind: 'purged', blobs }]);
    await owner.journal.refresh();
    expect(owner.journal.state.hiddenFiles()).toEqual([]);
    t.vary(others.length);

    await owner.journal.revoke(
      owner.keyring.identity.privateKey,
      { device: thief.device.id, since },
      owner.proof,
    );
    await owner.unlock();
    for (const [index, file] of files.entries()) {
      if (file === own) expect(owner.journal.state.entry(file)).toBeUndefined();
      else expect(await owner.read(file)).toEqual(contents[index]);
    }
    const joined = await Client.signIn(owner);
    expect(others.map((file) => joined.journal.state.entry(file)?.name)).toEqual(['1.txt', '2.txt', '3.txt']);
    t.held(
      'hidden and not erased: the code erases what its owner confirmed by name, and all else comes back',
    );
  },
);

row(
  'J4',
  {
    attack: 'shutting the others out, or letting somebody in',
    tried:
      'a device revokes the other devices, enrols one of its own, pins a keyring and turns the vault key: by the client, and signed by hand',
  },
  async (t) => {
    const { owner, thief } = await stolen('johanna');
    const { id } = owner.device;
    const hash = randomBytes(32);
    const rotation = toB64Url(randomBytes(16));
    const edits: Operation[] = [
      { kind: 'device-revoke', device: id, since: 0 },
      { kind: 'keyring', version: 99, hash },
      { kind: 'epoch', epoch: 1, rotation, hash, boxes: [{ device: thief.device.id, hash }] },
      {
        kind: 'device-enrol',
        ...{ device: rotation, publicKey: hash, agreementKey: hash, name: 'x', certificate: randomBytes(64) },
      },
    ];
    for (const edit of edits) {
      await expect(thief.journal.append(() => [edit])).rejects.toThrow(TypeError);
      const before = owner.journal.state.skippedOperations;
      await send(thief, await segmentBy(thief, { operations: [edit] }));
      await owner.journal.refresh();
      expect(owner.journal.state.skippedOperations).toBe(before + 1);
      t.vary(2);
    }
    const { state } = (await Client.signIn(owner)).journal;
    expect([state.trustedDevice(id)?.device, state.epoch, state.devices.has(rotation)]).toEqual([
      id,
      0,
      false,
    ]);
    expect(state.keyring?.version).toBe(1);
    t.held('counts from the identity key alone');
  },
);
