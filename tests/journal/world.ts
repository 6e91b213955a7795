import type { Bytes } from '../../src/lib/bytes.ts';
import { toB64, toB64Url, utf8 } from '../../src/lib/bytes.ts';
import {
  generateDeviceKeyPair,
  signingKeyFromSeed,
  type SigningKeyPair,
} from '../../src/lib/crypto/signing.ts';
import { certifyDevice } from '../../src/lib/journal/entries/certificate.ts';
import { createGenesis } from '../../src/lib/journal/entries/genesis.ts';
import { Journal, type JournalDeps } from '../../src/lib/journal/journal.ts';
import type { Operation, Version } from '../../src/lib/journal/entries/operations.ts';
import { JournalKeys } from '../../src/lib/journal/journal-keys.ts';
import type { ReplicaTrust } from '../../src/lib/journal/replica.ts';
import { unpadded } from '../../src/lib/journal/entries/segment-padding.ts';
import { readSegment, type JournalKey } from '../../src/lib/journal/entries/segment.ts';
import type { JournalIdentity } from '../../src/lib/journal/ports.ts';
import { MemoryCache, MemoryRemote } from './memory-remote.ts';

export const VAULT = 'eu-central-1:0f8fad5b-d9cb-469f-a165-70867728950e';
export const NOW_MS = 1_795_000_000_000;

const filled = (value: number): Bytes => new Uint8Array(32).fill(value);

/** An id made of a number: the same in each run. */
export function idOf(kind: string, number: number): string {
  const bytes = new Uint8Array(16);
  bytes.set(utf8(kind).subarray(0, 8));
  new DataView(bytes.buffer).setUint32(12, number);
  return toB64Url(bytes);
}

export const ACCOUNT = idOf('account', 1);

/** One device of the only account. */
export interface TestDevice {
  readonly id: string;
  readonly keys: SigningKeyPair;
  /** X25519. */
  readonly agreementKey: Bytes;
  readonly certificate: Bytes;
}

/** A vault with its identity, keys and a remote; devices come as one asks for them. */
export interface World {
  readonly identity: SigningKeyPair;
  readonly remote: MemoryRemote;
  readonly first: TestDevice;
  readonly vaultKey: Bytes;
}

export async function certifiedDevice(identity: SigningKeyPair, number: number): Promise<TestDevice> {
  const id = idOf('device', number);
  const keys = await generateDeviceKeyPair();
  const agreementKey = filled(100 + number);
  const certified = { device: id, publicKey: keys.publicKey, agreementKey };
  return {
    id,
    keys,
    agreementKey,
    certificate: await certifyDevice(identity.privateKey, ACCOUNT, certified),
  };
}

/** A vault whose log has a genesis, with the first device in it. */
export async function newWorld(): Promise<World> {
  const identity = await signingKeyFromSeed(filled(1));
  const first = await certifiedDevice(identity, 1);
  const remote = new MemoryRemote();
  const vaultKey = filled(2);
  await remote.append(
    await createGenesis({
      vault: VAULT,
      account: ACCOUNT,
      vaultKey,
      identityKey: identity.privateKey,
      identityPublicKey: identity.publicKey,
      inbox: { blob: idOf('inbox', 0), publicKey: filled(3), epoch: 0 },
      device: {
        id: first.id,
        publicKey: first.keys.publicKey,
        agreementKey: first.agreementKey,
        name: 'Laptop',
        certificate: first.certificate,
      },
      keyring: { version: 1, hash: filled(4) },
      nowMs: NOW_MS,
    }),
  );
  return { identity, remote, first, vaultKey };
}

export function identityOf(world: World, device: TestDevice): JournalIdentity {
  return {
    vault: VAULT,
    account: ACCOUNT,
    vaultKeys: [{ epoch: 0, vaultKey: world.vaultKey }],
    identityPublicKey: world.identity.publicKey,
    device: { id: device.id, publicKey: device.keys.publicKey, privateKey: device.keys.privateKey },
  };
}

/** The journal on a device; without more, on the world's remote with an empty cache. Never waits for real. */
export async function openJournal(
  world: World,
  device: TestDevice = world.first,
  more: Partial<JournalDeps> = {},
): Promise<Journal> {
  return Journal.open({
    identity: identityOf(world, device),
    remote: world.remote,
    cache: new MemoryCache(),
    nowMs: () => NOW_MS,
    pauseMs: () => Promise.resolve(),
    ...more,
  });
}

export function enrolment(device: TestDevice, name = 'Phone'): Operation {
  const { id, keys, agreementKey, certificate } = device;
  return { kind: 'device-enrol', device: id, publicKey: keys.publicKey, agreementKey, name, certificate };
}

/** What judges this world's segments. */
export async function trustOf({
  identity,
  vaultKey,
}: Pick<World, 'identity' | 'vaultKey'>): Promise<ReplicaTrust> {
  return {
    root: { vault: VAULT, account: ACCOUNT, identityPublicKey: identity.publicKey },
    keys: await JournalKeys.derive(VAULT, [{ epoch: 0, vaultKey }]),
  };
}

/** What a segment says, if its seal opens. */
export async function openedSegment(
  key: JournalKey,
  seq: number,
  bytes: Bytes,
): Promise<{ writer: string | undefined; prevHash: Bytes; sequence: Bytes }> {
  const { content, writer, prevHash } = await readSegment(key.vault, () => key, seq, bytes);
  const sequence = content.kind === 'opened' ? unpadded(content.plaintext) : undefined;
  if (!sequence) throw new RangeError(`segment ${String(seq)} does not open`);
  return { writer, prevHash, sequence };
}

/** A second device, enrolled by the identity key. */
export async function enrolDevice(world: World, number: number): Promise<TestDevice> {
  const device = await certifiedDevice(world.identity, number);
  const journal = await openJournal(world, device);
  await journal.appendByIdentity(world.identity.privateKey, [enrolment(device)]);
  return device;
}

export function versionOf(number: number, sizeBytes = 1000 + number): Version {
  return {
    blob: idOf('blob', number),
    epoch: 0,
    sizeBytes,
    sealedBytes: sizeBytes + 106,
    partBytes: 8 * 1024 * 1024,
    digest: toB64(filled(number % 256)),
    mediaType: 'text/plain',
    modifiedAtMs: NOW_MS - number,
    addedAtMs: NOW_MS + number,
  };
}

/** A file whose ids come from its number. */
export function fileAdd(number: number, name = `file ${String(number)}.txt`, folder = ''): Operation {
  return { kind: 'file-add', file: idOf('file', number), folder, name, version: versionOf(number) };
}

export function folderAdd(number: number, name: string, parent = ''): Operation {
  return { kind: 'folder-add', folder: idOf('folder', number), parent, name };
}
