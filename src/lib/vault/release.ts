import type { EnvelopeName } from '$contract/envelope.ts';
import type { ReleasedKeys } from '$contract/released-keys.ts';
import { keysRelease } from '$contract/vault-keys.ts';
import { fromB64Url, type Bytes } from '../bytes.ts';
import { openEnvelope } from '../crypto/envelope.ts';
import { HalfkeyError } from '../errors.ts';
import type { OpenVault } from './open-vault.ts';
import { fromRecord } from './envelope-record.ts';
import { wipeAtEnd } from '../crypto/wipe.ts';

/**
 * Opens envelopes: the KMS halves against a grant, the vault key from here.
 * @returns by blob a key of 32 bytes, the caller's to wipe, or why that one does not open: `purged`, `record_corrupt`,
 *   `kms_half_wrong`, `envelope_corrupt`, `format_unknown`, `key_absent` for a blob without an envelope
 * @throws {HalfkeyError} `locked`, `grant_spent`
 */
export async function releaseKeys(
  open: OpenVault,
  purpose: 'file' | 'inbox',
  names: readonly EnvelopeName[],
  signal: AbortSignal = new AbortController().signal,
): Promise<Map<string, Bytes | HalfkeyError>> {
  const { broker, vault, requireGrant, releasesPerCode } = open;
  const opened = new Map<string, Bytes | HalfkeyError>();
  const perRequest = releasesPerCode();
  for (let from = 0; from < names.length; from += perRequest) {
    // Whatever else the caller knows of them is none of the broker's business.
    const some = names.slice(from, from + perRequest).map(({ blob, epoch }) => ({ blob, epoch }));
    const request = { grant: requireGrant(), purpose, names: some };
    const released = await broker.call(keysRelease, request, { vault, signal });
    for (const [blob, key] of await openReleased(open, purpose, some, released)) opened.set(blob, key);
  }
  return opened;
}

/** Joins what the broker has released with the vault key. @returns as `releaseKeys` */
export async function openReleased(
  { vault, vaultKey }: Pick<OpenVault, 'vault' | 'vaultKey'>,
  purpose: 'file' | 'inbox',
  names: readonly EnvelopeName[],
  { keys, refused }: Pick<ReleasedKeys, 'keys' | 'refused'>,
): Promise<Map<string, Bytes | HalfkeyError>> {
  const opened = new Map<string, Bytes | HalfkeyError>();
  for (const { blob, epoch } of names) {
    const isThis = (each: EnvelopeName) => each.blob === blob && each.epoch === epoch;
    const key = keys.find(isThis);
    const code = refused.find(isThis)?.code ?? 'key_absent';
    if (!key) {
      opened.set(blob, new HalfkeyError(code, 'the broker releases no half of this key'));
      continue;
    }
    const kmsHalf = fromB64Url(key.kmsHalf);
    using _kmsHalf = wipeAtEnd(kmsHalf);
    const open = async () =>
      openEnvelope({ purpose, vault, blob, epoch, envelope: fromRecord(key.envelope), kmsHalf, vaultKey });
    opened.set(blob, await open().catch(ownFault));
  }
  return opened;
}

/** The key of one blob. @throws {HalfkeyError} as `releaseKeys` says of it */
export async function releaseKey(
  vault: OpenVault,
  purpose: 'file' | 'inbox',
  name: EnvelopeName,
  signal?: AbortSignal,
): Promise<Bytes> {
  const key = (await releaseKeys(vault, purpose, [name], signal)).get(name.blob);
  if (key instanceof Uint8Array) return key;
  throw key ?? new TypeError('expected a key or a refusal');
}

/** What is wrong with one envelope is no matter of the others. */
function ownFault(error: unknown): HalfkeyError {
  if (error instanceof HalfkeyError && error.family === 'corrupt') return error;
  throw error;
}
