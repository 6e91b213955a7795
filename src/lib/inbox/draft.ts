import { encode } from 'cborg';
import { concat, u32be, utf8, type Bytes } from '../bytes.ts';
import { sealAad } from '../crypto/aad.ts';
import { openFrom, sealTo } from '../crypto/agreement.ts';
import { HalfkeyError } from '../errors.ts';
import { decodeWhole } from '../journal/entries/cbor.ts';
import {
  bytes as bytesOf,
  count,
  folder,
  id,
  name,
  record,
  text,
  timeMs,
  u31,
} from '../journal/entries/fields.ts';
import type { InboxKey } from '../journal/entries/operations.ts';
import { CONTENT_BYTES, paddedContent, unpaddedContent } from './content.ts';
import type { InboxPrivateKey } from './keys.ts';
import { wipeAtEnd } from '../crypto/wipe.ts';

const MAGIC = utf8('HKD1');
const SEALED_OFFSET = 8;
/** Of every draft. */
export const DRAFT_BYTES = SEALED_OFFSET + 48 + CONTENT_BYTES;

/** What a capture will be in the drive, before its ciphertext is finished. */
export interface Draft {
  readonly file: string;
  /** `ROOT` for the top folder. */
  readonly folder: string;
  readonly name: string;
  /** 32 bytes. */
  readonly contentKey: Bytes;
  readonly blob: string;
  /** Of the vault key. */
  readonly epoch: number;
  /** True length of the content. */
  readonly sizeBytes: number;
  readonly mediaType: string;
  /** Of the source, ms since 1970. */
  readonly modifiedAtMs: number;
  /** By the clock of this device. */
  readonly addedAtMs: number;
}

const shape = record(
  ['file', id],
  ['folder', folder],
  ['name', name],
  ['contentKey', bytesOf(32)],
  ['blob', id],
  ['epoch', u31],
  ['sizeBytes', count],
  ['mediaType', text],
  ['modifiedAtMs', timeMs],
  ['addedAtMs', timeMs],
);

/**
 * What this device keeps of a capture from its first moment on (docs/FORMAT.md §13.2), sealed to the newest inbox key
 * that it has verified in the journal: it cannot read it back without a code. Not signed, because it never leaves the
 * device.
 *
 * @returns 1,080 bytes, whatever the name
 * @throws {TypeError} when a field is malformed
 */
export async function sealDraft(
  draft: Draft,
  { vault, inbox }: { readonly vault: string; readonly inbox: InboxKey },
): Promise<Bytes> {
  const fields = shape.toCbor(draft);
  if (shape.fromCbor(fields) === undefined) throw new TypeError('a draft has a malformed field');
  const encoded = encode(fields);
  const content = paddedContent(encoded);
  using _plain = wipeAtEnd(encoded, content);
  const head = concat(MAGIC, u32be(inbox.epoch));
  const info = sealAad('draft', vault, draft.blob, inbox.epoch);
  return concat(head, await sealTo(inbox.publicKey, info, head, content));
}

/** The inbox epoch that a draft is sealed to. @throws {HalfkeyError} `device_state_lost` when it is not a draft */
export function draftEpoch(bytes: Bytes): number {
  if (bytes.length !== DRAFT_BYTES || !MAGIC.every((byte, index) => bytes[index] === byte)) {
    throw lost(`${String(bytes.length)} bytes are none`);
  }
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length);
}

/**
 * What `sealDraft` was given.
 * @param key of the draft's epoch
 * @throws {HalfkeyError} `device_state_lost` when it is damaged, or of another vault, blob or key
 * @throws {RangeError} for a key of another epoch
 */
export async function openDraft(
  bytes: Bytes,
  { vault, blob }: { readonly vault: string; readonly blob: string },
  key: InboxPrivateKey,
): Promise<Draft> {
  const epoch = draftEpoch(bytes);
  if (key.epoch !== epoch) {
    throw new RangeError(`expected inbox key ${String(epoch)}, got ${String(key.epoch)}`);
  }
  const info = sealAad('draft', vault, blob, epoch);
  const [head, sealed] = [bytes.slice(0, SEALED_OFFSET), bytes.slice(SEALED_OFFSET)];
  const opened = await openFrom(key.privateKey, key.publicKey, info, head, sealed).catch((cause: unknown) => {
    throw cause instanceof HalfkeyError ? lost('its key does not open it', cause) : cause;
  });
  using _opened = wipeAtEnd(opened);
  const draft = readDraft(opened);
  if (draft.blob !== blob) throw lost('it is of another blob');
  return draft;
}

function readDraft(opened: Bytes): Draft {
  const content = unpaddedContent(opened);
  let draft: unknown;
  try {
    draft = content && shape.fromCbor(decodeWhole(content));
  } catch (cause) {
    throw lost('its content is malformed', cause);
  }
  if (draft === undefined) throw lost('its content is malformed');
  return draft as Draft;
}

function lost(why: string, cause?: unknown): HalfkeyError {
  return new HalfkeyError('device_state_lost', `the draft of a capture: ${why}`, { cause });
}
