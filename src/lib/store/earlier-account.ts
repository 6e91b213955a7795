import * as v from 'valibot';
import type { Bytes } from '../bytes.ts';
import { sealAad } from '../crypto/aad.ts';
import { open, type FloeKey } from '../crypto/floe.ts';

const bytes = v.custom<Bytes>((value) => value instanceof Uint8Array);
const Earlier = v.object({
  account: v.string(),
  vault: v.string(),
  epoch: v.number(),
  sealedAccountKey: bytes,
  sealedVaultKey: bytes,
});

/**
 * The keys of a record as version 1 of the database had it: each sealed by itself, and nothing else bound.
 *
 * @returns undefined for a record of today
 * @throws whatever opening throws, when the keys do not open
 */
export async function openEarlierKeys(
  found: unknown,
  wrapKey: FloeKey,
): Promise<{ accountKey: Bytes; vaultKey: Bytes } | undefined> {
  const parsed = v.safeParse(Earlier, found);
  if (!parsed.success) return undefined;
  const { account, vault, epoch, sealedAccountKey, sealedVaultKey } = parsed.output;
  const [accountKey, vaultKey] = await Promise.all([
    open(wrapKey, sealAad('device-wrap', account, 'account-key', 0), sealedAccountKey),
    open(wrapKey, sealAad('device-wrap', vault, 'vault-key', epoch), sealedVaultKey),
  ]);
  return { accountKey, vaultKey };
}
