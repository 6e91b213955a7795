import { toB64, type Bytes } from '../../src/lib/bytes.ts';
import { generateDeviceKeyPair, type SigningKeyPair } from '../../src/lib/crypto/signing.ts';
import { createInboxKey, openInboxKey, type InboxPrivateKey } from '../../src/lib/inbox/keys.ts';
import type { CapturedFile } from '../../src/lib/inbox/record.ts';
import { fold, type FoldableSegment } from '../../src/lib/journal/state/fold.ts';
import type { FoldedVault } from '../../src/lib/journal/state/folded-vault.ts';
import type { InboxKey, Operation } from '../../src/lib/journal/entries/operations.ts';
import { ACCOUNT, idOf, NOW_MS, VAULT } from '../journal/world.ts';

export { VAULT };

const filled = (value: number): Bytes => new Uint8Array(32).fill(value);

/** The halves that wrap this world's inbox keys. */
export const HALVES = { vault: VAULT, epoch: 1, vaultKey: filled(2), kmsHalf: filled(3) } as const;

export interface InboxDevice extends SigningKeyPair {
  readonly id: string;
}

/** A key of the inbox, both halves. */
export interface InboxPair {
  readonly inbox: InboxKey;
  readonly key: InboxPrivateKey;
}

/**
 * A vault with three devices, of which the last was revoked, and inbox keys of the epochs 0 to 2, of which the first is
 * retired.
 */
export interface InboxWorld {
  readonly state: FoldedVault;
  readonly laptop: InboxDevice;
  readonly phone: InboxDevice;
  readonly stolen: InboxDevice;
  readonly keys: readonly [InboxPair, InboxPair, InboxPair];
}

export async function newDevice(number: number): Promise<InboxDevice> {
  return { id: idOf('device', number), ...(await generateDeviceKeyPair()) };
}

export async function newInboxPair(epoch: number): Promise<InboxPair> {
  const blob = idOf('inbox', epoch);
  const { inbox, envelope } = await createInboxKey({ ...HALVES, kmsBlob: filled(4) }, { blob, epoch });
  return { inbox, key: await openInboxKey({ ...HALVES, envelope }, inbox) };
}

export async function newInboxWorld(): Promise<InboxWorld> {
  const [laptop, phone, stolen] = [await newDevice(1), await newDevice(2), await newDevice(3)];
  const keys = [await newInboxPair(0), await newInboxPair(1), await newInboxPair(2)] as const;
  const [first, ...later] = keys;
  const enrolments = [laptop, phone, stolen].map(({ id, publicKey }): Operation => ({
    kind: 'device-enrol',
    device: id,
    publicKey,
    agreementKey: filled(12),
    name: 'Device',
    certificate: new Uint8Array(64),
  }));
  const genesis: Operation = {
    kind: 'genesis',
    vault: VAULT,
    account: ACCOUNT,
    identityPublicKey: filled(1),
    inbox: first.inbox,
    atMs: NOW_MS,
  };
  const published = later.map(({ inbox }): Operation => ({ kind: 'inbox-key', inbox, atMs: NOW_MS }));
  const beat: Operation = { kind: 'heartbeat', seq: 0, hash: filled(5), atMs: NOW_MS, inboxEpoch: 1 };
  const revoked: Operation = { kind: 'device-revoke', device: stolen.id, since: 5 };
  const state = fold([
    segment(0, undefined, [genesis, ...enrolments]),
    segment(1, laptop.id, published),
    segment(2, laptop.id, [beat]),
    segment(3, phone.id, [beat]),
    segment(5, undefined, [revoked]),
    segment(6, laptop.id, [{ kind: 'inbox-retire', epoch: 1 }]),
  ]);
  if (state.skippedOperations > 0 || state.oldestInboxEpoch !== 1) throw new Error('this is another world');
  return { state, laptop, phone, stolen, keys };
}

function segment(seq: number, writer: string | undefined, operations: readonly Operation[]): FoldableSegment {
  return { seq, prevHash: filled(6), writer, operations, malformed: 0 };
}

/** What a device takes in; the blob's number is 7. */
export function captured(more: Partial<CapturedFile> = {}): CapturedFile {
  return {
    file: idOf('file', 7),
    folder: idOf('folder', 1),
    name: 'Brief an 旅.txt',
    contentKey: filled(9),
    version: {
      blob: idOf('blob', 7),
      epoch: 1,
      sizeBytes: 1000,
      sealedBytes: 1130,
      partBytes: 8 * 1024 * 1024,
      digest: toB64(filled(8)),
      mediaType: 'text/plain',
      modifiedAtMs: NOW_MS - 1,
      addedAtMs: NOW_MS,
    },
    ...more,
  };
}
