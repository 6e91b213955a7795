import { fromUtf8, utf8, type Bytes } from '../../bytes.ts';
import { sealAad } from '../../crypto/aad.ts';
import { open, seal } from '../../crypto/floe.ts';
import { deriveKey } from '../../crypto/hkdf.ts';
import { randomId } from '../../crypto/random.ts';
import { HalfkeyError } from '../../errors.ts';
import { ROOT, type Version } from '../../journal/entries/operations.ts';
import { acceptableName } from '../../journal/entries/names.ts';
import type { PickedFile } from '../../protocol/transfer.ts';
import { acceptableType } from './describe.ts';

/** A size says little about a name: labels are of as few sizes as can be. */
const STEP_BYTES = 512;

/** What a device that is locked may show of an upload, and what a version of it will say. */
export interface Label {
  /** Id of the file that it will be, or be a version of. */
  readonly file: string;
  /**
   * Of what was picked to be a new version of `file`: id of the transfer, and of the file that it becomes by itself
   * where that one is gone.
   */
  readonly instead?: string;
  /** `ROOT` for the top folder. */
  readonly folder: string;
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  readonly addedAtMs: number;
}

/** Of a file that was picked, and is to go there. */
export function labelOf(
  source: File,
  nowMs: number,
  { folder, versionOf: newVersionOf }: Omit<PickedFile, 'source'> = { folder: ROOT },
): Label {
  return {
    ...(newVersionOf === undefined ? { file: randomId() } : { file: newVersionOf, instead: randomId() }),
    folder,
    name: acceptableName(source.name),
    mediaType: acceptableType(source.type),
    sizeBytes: source.size,
    modifiedAtMs: Math.max(0, Math.trunc(source.lastModified)),
    addedAtMs: nowMs,
  };
}

/** Id of the transfer: of two versions of one file each is its own. */
export function transferOf({ file, instead }: Label): string {
  return instead ?? file;
}

/** What a capture will be in the drive, besides its content. */
export function placeOf({ file, instead, folder, name }: Label) {
  return { file, folder, name, ...(instead !== undefined && { instead }) };
}

/** Whether a file that was picked again can be the same one, by what does not have to be read. */
export function isLabelOf(label: Label, source: File): boolean {
  const again = labelOf(source, label.addedAtMs);
  return (['name', 'sizeBytes', 'modifiedAtMs'] as const).every((field) => again[field] === label[field]);
}

/** What the journal will pin of it. `digest`: of the ciphertext, as S3 writes it. */
export function versionOf(
  { sizeBytes, mediaType, modifiedAtMs, addedAtMs }: Label,
  {
    blob,
    epoch,
    sealedBytes,
    partBytes,
    digest,
  }: Pick<Version, 'blob' | 'epoch' | 'sealedBytes' | 'partBytes' | 'digest'>,
): Version {
  return { blob, epoch, sizeBytes, sealedBytes, partBytes, digest, mediaType, modifiedAtMs, addedAtMs };
}

interface Where {
  readonly vault: string;
  /** Of the vault key. */
  readonly epoch: number;
  readonly blob: string;
}

/** As it is stored: JSON with white space after it, sealed under a key from the vault key. */
export async function sealLabel(vaultKey: Bytes, where: Where, label: Label): Promise<Bytes> {
  const text = utf8(JSON.stringify(label));
  const padded = new Uint8Array(Math.ceil(text.length / STEP_BYTES) * STEP_BYTES).fill(0x20);
  padded.set(text);
  return seal(await labelKey(vaultKey, where), aadOf(where), padded);
}

/** @throws {HalfkeyError} `device_state_lost` when it is of another vault or blob, or damaged */
export async function openLabel(vaultKey: Bytes, where: Where, sealed: Bytes): Promise<Label> {
  try {
    const text = fromUtf8(await open(await labelKey(vaultKey, where), aadOf(where), sealed));
    // Sealed by this device: what opens is what was sealed, by an earlier version of the app maybe.
    return { folder: ROOT, ...(JSON.parse(text) as Omit<Label, 'folder'>) };
  } catch (cause) {
    throw new HalfkeyError('device_state_lost', 'the label of an upload does not open', { cause });
  }
}

function labelKey(vaultKey: Bytes, { vault }: Where): Promise<Bytes> {
  return deriveKey(vaultKey, 'upload-label', vault);
}

function aadOf({ vault, blob, epoch }: Where): Bytes {
  return sealAad('cache', vault, blob, epoch);
}
