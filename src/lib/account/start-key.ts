import { deriveKey } from '../crypto/hkdf.ts';
import { newStretching, stretch, type Stretching } from '../crypto/stretching.ts';
import type { Bytes } from '../bytes.ts';
import { normalisePassphrase } from './passphrase.ts';
import { wipeAtEnd } from '../crypto/wipe.ts';

/**
 * The key that closes what is stored on a device whose user wants to be asked for the passphrase at each start, 32
 * bytes.
 *
 * @throws {HalfkeyError} `kdf_downgrade`, `device_state_lost` for parameters that are weaker than the pinned ones, or
 *   impossible
 */
export async function startKey(passphrase: string, account: string, stretching: Stretching): Promise<Bytes> {
  const stretched = await stretch(normalisePassphrase(passphrase), stretching);
  using _stretched = wipeAtEnd(stretched);
  return await deriveKey(stretched, 'start-wrap', account);
}

/** The same with a new salt, and what it was made with. */
export async function newStartLock(
  passphrase: string,
  account: string,
): Promise<{ readonly stretching: Stretching; readonly key: Bytes }> {
  const stretching = newStretching();
  return { stretching, key: await startKey(passphrase, account, stretching) };
}
