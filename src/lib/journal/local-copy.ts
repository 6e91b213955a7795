import { concat, type Bytes } from '../bytes.ts';
import { sealAad } from '../crypto/aad.ts';
import { open, seal } from '../crypto/floe.ts';
import { deriveKey } from '../crypto/hkdf.ts';
import { HalfkeyError } from '../errors.ts';
import type { FoldedVault } from './state/folded-vault.ts';
import { adoptNameOrder, nameOrder } from './state/listing.ts';
import type { JournalHead, JournalKey } from './entries/segment.ts';
import { decodeState, encodeState, keptRows } from './state/state-encoding.ts';

const RECORD_ID = 'journal';
/** Raised with every change of how a state is encoded, or of what a fold counts. */
const FORMAT = 4;
/** Raised with every change of how names are sorted. */
const NAME_ORDER = 2;
const HEAD_BYTES = 16;

/** The local copy's key of a vault and epoch. */
export async function localCopyKey(vault: string, epoch: number, vaultKey: Bytes): Promise<JournalKey> {
  return { vault, epoch, key: await deriveKey(vaultKey, 'cache', vault) };
}

/**
 * A state and its place, which is this device's high-water mark: one record, so that neither is kept without the other.
 */
export interface LocalCopy {
  readonly state: FoldedVault;
  readonly head: JournalHead;
  /** Whether it goes back to a snapshot that was not compared with the log yet. */
  readonly needsAudit: boolean;
}

/**
 * One u32be each: format (4), whether it needs an audit, version and length of the order by name; that order (u32be
 * entries of the state, filled up to 8 bytes); the encoded state. Sealed.
 */
export async function sealLocalCopy(
  { vault, epoch, key }: JournalKey,
  { state, head, needsAudit }: LocalCopy,
): Promise<Bytes> {
  const { newEntry } = keptRows(state);
  const order = nameOrder(state);
  const record = new DataView(new ArrayBuffer(HEAD_BYTES + orderBytes(order.length)));
  for (const [index, value] of [FORMAT, needsAudit ? 1 : 0, NAME_ORDER, order.length].entries()) {
    record.setUint32(index * 4, value);
  }
  for (let place = 0; place < order.length; place++) {
    record.setUint32(HEAD_BYTES + place * 4, newEntry[order[place] ?? 0] ?? 0);
  }
  const plaintext = concat(new Uint8Array(record.buffer), encodeState(state, head));
  return seal(key, sealAad('cache', vault, RECORD_ID, epoch), plaintext);
}

/** @throws {HalfkeyError} `device_state_lost` when it is damaged, of another key or of another format */
export async function openLocalCopy({ vault, epoch, key }: JournalKey, sealed: Bytes): Promise<LocalCopy> {
  try {
    return read(await open(key, sealAad('cache', vault, RECORD_ID, epoch), sealed));
  } catch (cause) {
    throw new HalfkeyError('device_state_lost', "this device's copy of the journal does not open", { cause });
  }
}

function read(plaintext: Bytes): LocalCopy {
  const view = new DataView(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  const [format, flag, orderVersion, count] = [0, 4, 8, 12].map((offset) => view.getUint32(offset));
  if (format !== FORMAT || count === undefined) throw new RangeError(`expected format ${String(FORMAT)}`);
  const { state, head } = decodeState(plaintext.subarray(HEAD_BYTES + orderBytes(count)));
  if (orderVersion === NAME_ORDER && count > 0) {
    const order: number[] = [];
    for (let place = 0; place < count; place++) order.push(view.getUint32(HEAD_BYTES + place * 4));
    adoptNameOrder(state, order);
  }
  return { state, head, needsAudit: flag === 1 };
}

function orderBytes(count: number): number {
  return Math.ceil((count * 4) / 8) * 8;
}
