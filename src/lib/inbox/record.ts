import {
  concat,
  equalBytes,
  fromB64Url,
  lengthPrefixed,
  toB64Url,
  u32be,
  utf8,
  type Bytes,
} from '../bytes.ts';
import { sealAad } from '../crypto/aad.ts';
import { openFrom, sealTo } from '../crypto/agreement.ts';
import { sha256 } from '../crypto/digest.ts';
import { sign, verify } from '../crypto/signing.ts';
import { HalfkeyError } from '../errors.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import { decodeOperations, encodeOperation } from '../journal/entries/operation-codec.ts';
import type { InboxKey, Version } from '../journal/entries/operations.ts';
import { CONTENT_BYTES, paddedContent, unpaddedContent } from './content.ts';
import type { InboxPrivateKey } from './keys.ts';
import { wipeAtEnd } from '../crypto/wipe.ts';

const MAGIC = utf8('HKI1');
const DEVICE_OFFSET = 8;
const SIGNATURE_OFFSET = 24;
const SEALED_OFFSET = 88;
const SEALED_BYTES = 48 + CONTENT_BYTES;
const CONTENT_KEY_BYTES = 32;
/** Of every inbox record. */
export const RECORD_BYTES = SEALED_OFFSET + SEALED_BYTES;

/** What a capture will be in the drive. */
export interface CapturedFile {
  readonly file: string;
  /** `ROOT` for the top folder. */
  readonly folder: string;
  readonly name: string;
  /** 32 bytes. */
  readonly contentKey: Bytes;
  readonly version: Version;
  /** As in `Adoptable`; no record has it, only the device that took the file in. */
  readonly instead?: string;
}

/** A record whose signature is right; what is in it only the inbox key's private half tells. */
export interface SignedRecord {
  /** Of the inbox key that it is sealed to. */
  readonly inboxEpoch: number;
  /** Id of the device that signed. */
  readonly device: string;
  readonly sealed: Bytes;
}

/**
 * The record that waits in the inbox for a device with a grant (docs/FORMAT.md §13): sealed to the inbox key, signed by
 * the device. Each call gives other bytes.
 *
 * @param to `inbox`: the newest that this device has itself verified in the journal
 * @returns 1,160 bytes, whatever the name
 * @throws {TypeError} when a field is malformed
 * @throws {RangeError} when the content key is not 32 bytes long
 */
export async function sealRecord(
  captured: CapturedFile,
  to: {
    readonly vault: string;
    readonly inbox: InboxKey;
    readonly device: { readonly id: string; readonly privateKey: CryptoKey };
  },
): Promise<Bytes> {
  const { file, folder, name, contentKey, version } = captured;
  if (contentKey.length !== CONTENT_KEY_BYTES) {
    throw new RangeError(`expected a content key of 32 bytes, got ${String(contentKey.length)}`);
  }
  const { vault, inbox, device } = to;
  const where = { vault, blob: version.blob };
  const operation = encodeOperation({ kind: 'file-add', file, folder, name, version });
  const content = paddedContent(concat(contentKey, operation));
  const head = headOf(inbox.epoch, device.id);
  using _content = wipeAtEnd(content);
  const sealed = await sealTo(inbox.publicKey, infoOf(where, inbox.epoch), head, content);
  const signature = await sign(device.privateKey, await signedMessage(where, head, sealed));
  return concat(head, signature, sealed);
}

/**
 * Checks what can be checked without a key. Records and journal come by different ways: ask after a refresh of the
 * journal that began when the record was there already, or a device or key that is new will look like none.
 *
 * @param state of the newest journal
 * @param blob the name that the record was found under
 * @param own what is stored on this device for that blob, from when it took the file in itself: then its keys may have
 *   been revoked since
 * @throws {HalfkeyError} `inbox_refused` unless a device that the journal trusts now signed these bytes for this vault
 *   and blob, and they are sealed to an inbox key of the journal that is not retired
 */
export async function readRecord(
  state: FoldedVault,
  vault: string,
  blob: string,
  bytes: Bytes,
  own?: Bytes,
): Promise<SignedRecord> {
  if (bytes.length !== RECORD_BYTES) {
    throw refused(`expected ${String(RECORD_BYTES)} bytes, got ${String(bytes.length)}`);
  }
  if (!MAGIC.every((byte, index) => bytes[index] === byte)) throw refused('expected the magic HKI1');
  const head = bytes.subarray(0, SIGNATURE_OFFSET);
  const sealed = bytes.slice(SEALED_OFFSET);
  const id = toB64Url(head.subarray(DEVICE_OFFSET));
  const isOwn = own !== undefined && equalBytes(own, bytes);
  const device = isOwn ? state.devices.get(id) : state.trustedDevice(id);
  if (!device) throw refused('it is of no device that is enrolled now');
  const message = await signedMessage({ vault, blob }, head, sealed);
  if (!(await verify(device.publicKey, message, bytes.slice(SIGNATURE_OFFSET, SEALED_OFFSET)))) {
    throw refused('the signature is wrong');
  }
  const inboxEpoch = new DataView(head.buffer, head.byteOffset).getUint32(MAGIC.length);
  if (!state.inboxKey(inboxEpoch))
    throw refused(`there is no inbox key ${String(inboxEpoch)} any more, or yet`);
  return { inboxEpoch, device: id, sealed };
}

/**
 * What a device captured.
 * @param key of the record's inbox epoch
 * @throws {HalfkeyError} `inbox_refused` when the key does not open it at this place, or when what is inside is
 *   malformed or names another blob
 * @throws {RangeError} for a key of another epoch
 */
export async function openRecord(
  { inboxEpoch, device, sealed }: SignedRecord,
  where: { readonly vault: string; readonly blob: string },
  key: InboxPrivateKey,
): Promise<CapturedFile> {
  if (key.epoch !== inboxEpoch) {
    throw new RangeError(`expected inbox key ${String(inboxEpoch)}, got ${String(key.epoch)}`);
  }
  const head = headOf(inboxEpoch, device);
  const opened = await openFrom(key.privateKey, key.publicKey, infoOf(where, inboxEpoch), head, sealed).catch(
    (cause: unknown) => {
      throw cause instanceof HalfkeyError ? refused('its key does not open it', cause) : cause;
    },
  );
  using _opened = wipeAtEnd(opened);
  return capturedFile(opened, where.blob);
}

function capturedFile(opened: Bytes, blob: string): CapturedFile {
  const content = unpaddedContent(opened);
  if (!content || content.length < CONTENT_KEY_BYTES) throw refused('its content is malformed');
  const { operations, malformed } = decodeOperations(content.subarray(CONTENT_KEY_BYTES), 2);
  const [operation, more] = operations;
  if (operation?.kind !== 'file-add' || more !== undefined || malformed > 0) {
    throw refused('its content is not one file');
  }
  const { file, folder, name, version } = operation;
  if (version.blob !== blob) throw refused('what is inside names another blob');
  return { file, folder, name, contentKey: content.slice(0, CONTENT_KEY_BYTES), version };
}

/** Everything before the signature: magic, inbox epoch, device. */
function headOf(inboxEpoch: number, device: string): Bytes {
  return concat(MAGIC, u32be(inboxEpoch), fromB64Url(device));
}

function infoOf({ vault, blob }: { vault: string; blob: string }, inboxEpoch: number): Bytes {
  return sealAad('inbox', vault, blob, inboxEpoch);
}

async function signedMessage(
  { vault, blob }: { vault: string; blob: string },
  head: Bytes,
  sealed: Bytes,
): Promise<Bytes> {
  return lengthPrefixed('halfkey/inbox/1', vault, blob, head, await sha256(sealed));
}

function refused(why: string, cause?: unknown): HalfkeyError {
  return new HalfkeyError('inbox_refused', `an inbox record: ${why}`, { cause });
}
