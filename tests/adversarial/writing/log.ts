import { ed25519PublicKey, signWith, x25519PublicKey } from '../../reader/ed25519.ts';
import type { Known } from '../../reader/journal.ts';
import {
  aad,
  concat,
  derive,
  NO_SALT,
  prefixed,
  sha256,
  u32be,
  u64be,
  utf8,
  type Bytes,
} from '../../reader/primitives.ts';
import { bytesOf, filled, idOf } from './bytes.ts';
import { sequence, type Item } from './cbor.ts';
import { sealFloe } from './floe.ts';

export const VAULT = 'eu-central-1:5b1f0c52-8a8e-4f0e-9b62-2d6f3a5c7e10';
const ACCOUNT = idOf('account', 1);
export const EPOCH = 0;
export const VAULT_KEY: Bytes = bytesOf('vault key', 32);
export const NOW_MS = 1_795_000_000_000;

/** Who writes segments. */
export interface Writer {
  /** undefined for the identity key. */
  readonly id: string | undefined;
  readonly seed: Bytes;
  readonly publicKey: Bytes;
  /** X25519: what a new vault key is sealed to. */
  readonly agreementKey: Bytes;
}

function writerOf(label: string, id: string | undefined): Writer {
  const seed = bytesOf(`${label} seed`, 32);
  const agreementKey = x25519PublicKey(bytesOf(`${label} agreement`, 32));
  return { id, seed, publicKey: ed25519PublicKey(seed), agreementKey };
}

export const IDENTITY = writerOf('identity', undefined);
export const LAPTOP = writerOf('laptop', idOf('device', 1));
export const PHONE = writerOf('phone', idOf('device', 2));
export const TABLET = writerOf('tablet', idOf('device', 3));
/** It is enrolled only by those who want to. */
export const STRANGER = writerOf('stranger', idOf('device', 9));

/** What a reader knows beforehand. */
export const KNOWN: Known = {
  vault: VAULT,
  account: ACCOUNT,
  epoch: EPOCH,
  vaultKey: VAULT_KEY,
  identityPublicKey: IDENTITY.publicKey,
};

/** The inbox key pair of an inbox epoch, and the id that its envelope has. */
export function inboxPair(epoch: number): {
  blob: string;
  epoch: number;
  publicKey: Bytes;
  privateKey: Bytes;
} {
  const privateKey = bytesOf(`inbox key ${String(epoch)}`, 32);
  return { blob: idOf('inbox', epoch), epoch, publicKey: x25519PublicKey(privateKey), privateKey };
}

const inboxKey = (epoch: number): Item => {
  const { blob, publicKey } = inboxPair(epoch);
  return [blob, publicKey, epoch];
};

/** Section 15. */
export function certificate(
  device: Writer,
  faults: {
    account?: string;
    id?: string;
    publicKey?: Bytes;
    agreementKey?: Bytes;
    by?: Writer;
    label?: string;
  } = {},
): Bytes {
  const { account = ACCOUNT, id = device.id ?? '', publicKey = device.publicKey, by = IDENTITY } = faults;
  const agreementKey = faults.agreementKey ?? device.agreementKey;
  return signWith(
    by.seed,
    prefixed(faults.label ?? 'halfkey/device/1', account, id, publicKey, agreementKey),
  );
}

/** Operations of section 11.3 as they are written. */
export const op = {
  genesis: (
    changes: { vault?: Item; account?: Item; key?: Item; inbox?: Item; more?: Item[] } = {},
  ): Item => [
    0,
    changes.vault ?? VAULT,
    changes.account ?? ACCOUNT,
    changes.key ?? IDENTITY.publicKey,
    changes.inbox ?? inboxKey(0),
    NOW_MS,
    ...(changes.more ?? []),
  ],
  enrol: (
    device: Writer,
    changes: { name?: Item; certificate?: Item; publicKey?: Item; agreementKey?: Item } = {},
  ): Item => [
    1,
    device.id ?? '',
    changes.publicKey ?? device.publicKey,
    changes.agreementKey ?? device.agreementKey,
    changes.name ?? 'Device',
    changes.certificate ?? certificate(device),
  ],
  /** `since` its own seq: nothing earlier is doubted. */
  revoke: (device: Writer, since: Item): Item => [2, device.id ?? '', since],
  inboxKey: (epoch: number, atMs: Item[] = [NOW_MS]): Item => [3, inboxKey(epoch), ...atMs],
  keyring: (version: number): Item => [4, version, filled(version)],
  folder: (number: number, name: Item, parent: Item = ''): Item => [5, idOf('folder', number), parent, name],
  file: (number: number, name: Item, folder: Item = '', version: Item = versionItem(number)): Item => [
    6,
    idOf('file', number),
    folder,
    name,
    version,
  ],
  version: (number: number, blob: number): Item => [7, idOf('file', number), versionItem(blob)],
  rename: (entry: Item, name: Item): Item => [8, entry, name],
  move: (entry: Item, folder: Item): Item => [9, entry, folder],
  trash: (entry: Item, atMs: Item = NOW_MS): Item => [10, entry, atMs],
  restore: (entry: Item): Item => [11, entry],
  versionRestore: (number: number, blob: number): Item => [19, idOf('file', number), idOf('blob', blob)],
  purged: (...blobs: Item[]): Item => [13, blobs],
  tag: (entry: Item, ...tags: Item[]): Item => [14, entry, tags],
  snapshot: (seq: number): Item => [15, [seq, filled(7), filled(8), [[idOf('page', seq), 900, filled(9)]]]],
  heartbeat: (seq: number, hash: Item, inboxEpoch: Item[] = [], atMs: Item = NOW_MS): Item => [
    16,
    seq,
    hash,
    atMs,
    ...inboxEpoch,
  ],
  purge: (entry: Item): Item => [17, entry],
  retire: (epoch: number): Item => [18, epoch],
  /** Section 11.7; `boxes` for these devices. */
  epoch: (turn: Turn, ...boxes: Writer[]): Item => [
    32,
    turn.epoch,
    turn.rotation,
    sha256(turn.object),
    boxes.map((device) => [device.id ?? '', filled(6)]),
  ],
} as const;

export const fileId = (number: number): string => idOf('file', number);
export const folderId = (number: number): string => idOf('folder', number);
export const blobId = (number: number): string => idOf('blob', number);

/** Another vault key (section 11.7), and the object that holds the one before, sealed under it. */
export interface Turn {
  readonly epoch: number;
  readonly rotation: string;
  readonly vaultKey: Bytes;
  readonly object: Bytes;
}

/** The key of an epoch that follows `before`; its object can hold, or be sealed as, something else. */
export function turnOf(
  epoch: number,
  before: Uint8Array,
  faults: { label?: string; rotation?: string; sealedEpoch?: number } = {},
): Turn {
  const vaultKey = bytesOf(`vault key ${String(epoch)}`, 32);
  const rotation = idOf('rotation', epoch);
  const sealedEpoch = faults.sealedEpoch ?? epoch;
  const key = derive(vaultKey, NO_SALT, 'previous-key', VAULT, u32be(sealedEpoch));
  const context = aad('previous-key', VAULT, faults.rotation ?? rotation, sealedEpoch);
  return { epoch, rotation, vaultKey, object: sealFloe(key, context, before, `turn ${faults.label ?? ''}`) };
}

/** A version of 9 bytes; fields by their place in section 11.3 can be others. */
export function versionItem(number: number, changes: Readonly<Record<number, Item>> = {}): Item[] {
  const digest = Buffer.from(filled(number % 256)).toString('base64');
  const fields: Item[] = [blobId(number), EPOCH, 9, 116, 8_388_608, digest, 'text/plain', NOW_MS - 1, NOW_MS];
  return fields.map((field, index) => changes[index] ?? field);
}

/** How a segment is written otherwise than section 11 says. */
export interface SegmentFaults {
  readonly magic?: string;
  readonly epoch?: number;
  readonly seq?: bigint;
  readonly prevHash?: Bytes;
  /** The 16 bytes in the head. */
  readonly writer?: Bytes;
  /** Whose key signs; else the writer's. */
  readonly signer?: Writer;
  readonly signature?: (right: Bytes) => Bytes;
  /** What is signed otherwise than what stands in the segment. */
  readonly signed?: {
    readonly label?: string;
    readonly vault?: string;
    readonly seq?: number;
    readonly prevHash?: Bytes;
    readonly epoch?: number;
    readonly writer?: Bytes;
    readonly ciphertextHash?: Bytes;
  };
  /** Key and AAD of the seal. */
  readonly sealed?: {
    readonly key?: Bytes;
    readonly vault?: string;
    readonly seq?: string;
    readonly epoch?: number;
    readonly type?: string;
  };
  /** What is sealed, from what is right. */
  readonly plaintext?: (right: Bytes) => Bytes;
  /** After signing. */
  readonly bytes?: (right: Bytes) => Bytes;
  /** Before signing: right signature over what does not open. */
  readonly ciphertext?: (right: Bytes) => Bytes;
}

/** Section 11.2. */
export function padded(content: Uint8Array, sizeBytes?: number): Bytes {
  let size = 512;
  while (size < 4 + content.length) size *= 2;
  const zeros = new Uint8Array((sizeBytes ?? size) - 4 - content.length);
  return concat(u32be(content.length), content, zeros);
}

/** The journal key of a vault key. */
export const journalKeyOf = (vaultKey: Uint8Array, vault = VAULT): Bytes =>
  derive(vaultKey, NO_SALT, 'journal', vault);

const writerBytes = ({ id }: Writer): Bytes =>
  id === undefined ? new Uint8Array(16) : Uint8Array.from(Buffer.from(id, 'base64url'));

/** A list of segments that grows; the label makes its seals its own. */
export class Log {
  readonly segments: Bytes[] = [];
  /** Of the segments that are added from now on. */
  epoch = EPOCH;
  vaultKey = VAULT_KEY;
  readonly #label: string;

  constructor(label: string, from: readonly Bytes[] = []) {
    this.#label = label;
    this.segments.push(...from);
  }

  /** SHA-256 of the last segment; zeros before the first. */
  get head(): Bytes {
    const last = this.segments.at(-1);
    return last === undefined ? new Uint8Array(32) : sha256(last);
  }

  add(by: Writer, operations: readonly Item[] | Uint8Array, faults: SegmentFaults = {}): this {
    const place = this.segments.length;
    const seq = Number(faults.seq ?? BigInt(place));
    const epoch = faults.epoch ?? this.epoch;
    const prevHash = faults.prevHash ?? this.head;
    const writer = faults.writer ?? writerBytes(by);
    const content = operations instanceof Uint8Array ? operations : sequence(operations);
    const plaintext = (faults.plaintext ?? ((right) => right))(padded(content));
    const { sealed = {}, signed = {} } = faults;
    const sealAad = aad(
      sealed.type ?? 'journal',
      sealed.vault ?? VAULT,
      sealed.seq ?? String(seq),
      sealed.epoch ?? epoch,
    );
    const key = sealed.key ?? journalKeyOf(this.vaultKey, sealed.vault ?? VAULT);
    const label = `${this.#label} ${String(place)}`;
    const right = sealFloe(key, sealAad, plaintext, label);
    const ciphertext = (faults.ciphertext ?? ((bytes) => bytes))(right);
    const message = prefixed(
      signed.label ?? 'halfkey/journal/1',
      signed.vault ?? VAULT,
      u64be(signed.seq ?? seq),
      signed.prevHash ?? prevHash,
      u32be(signed.epoch ?? epoch),
      signed.writer ?? writer,
      signed.ciphertextHash ?? sha256(ciphertext),
    );
    const signature = signWith((faults.signer ?? by).seed, message);
    const segment = concat(
      utf8(faults.magic ?? 'HKJ1'),
      u32be(epoch),
      seqBytes(faults.seq ?? BigInt(place)),
      prevHash,
      writer,
      (faults.signature ?? ((bytes) => bytes))(signature),
      ciphertext,
    );
    this.segments.push((faults.bytes ?? ((bytes) => bytes))(segment));
    return this;
  }
}

function seqBytes(seq: bigint): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, seq);
  return bytes;
}

/** What most vaults here begin with: laptop and phone, and the keyring's first version. */
export const BEGINNING: readonly Item[] = [op.genesis(), op.enrol(LAPTOP), op.enrol(PHONE), op.keyring(1)];

/** A vault after its genesis. */
export const begin = (label: string): Log =>
  new Log(label, new Log('beginning').add(IDENTITY, BEGINNING).segments);
