import type { Grant, KeyringRecord, SignedIn } from '$contract/accounts.ts';
import type { OpenKeyring } from '../../account/keyring.ts';
import { corruptKeyring } from '../../account/keyring-format.ts';
import { fromB64Url, type Bytes } from '../../bytes.ts';
import type { StartLock } from '../../store/account-record.ts';
import type { DeviceRecord } from '../../store/database.ts';

/** What signing up, signing in and recovering all end with: the way into an account on this device. */
export interface Entry {
  /** Without grant and proof where the session was found already made: the device is locked then. */
  readonly signedIn: Pick<SignedIn, 'account' | 'keyring' | 'vaults'> & {
    readonly grant?: Grant;
    readonly opening?: SignedIn['opening'];
    readonly proof?: string;
  };
  /** Opened, so that its identity key can certify this device; dropped when that is done. */
  readonly keyring: OpenKeyring;
  readonly device: DeviceRecord;
  /** When the request that bought the grant left, by this device's clock. */
  readonly sentAtMs: number;
  /**
   * Where this device asks for the passphrase at each start: what closes the record under the one that was just typed.
   */
  readonly startLock?: StartLock;
}

/** @throws {HalfkeyError} `keyring_corrupt` when the broker's text is not base64url */
export function keyringBytes({ bytes }: KeyringRecord): Bytes {
  try {
    return fromB64Url(bytes);
  } catch {
    throw corruptKeyring('it is no base64url');
  }
}
