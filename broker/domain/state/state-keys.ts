import type { AccountId, GrantId, VaultId } from '../../contract/ids.ts';

/** Keys of the broker's own objects in the bucket (docs/OPERATING.md lists them). */
export const stateKeys = {
  setup: 'broker/setup',
  canary: 'broker/canary',
  account: (account: AccountId) => `a/${account}`,
  /** @param nameId HMAC of the normalised user name, base64url */
  name: (nameId: string) => `n/${nameId}`,
  /** @param recoveryId HMAC of the recovery public key, base64url */
  recovery: (recoveryId: string) => `r/${recoveryId}`,
  /** How many logins were begun; one for strangers, and one per device that signed in before. */
  loginPace: (nameId: string, device?: string) => `l/${nameId}${device === undefined ? '' : `.${device}`}`,
  /** @param nonce of a login or recovery state, base64url */
  used: (nonce: string) => `o/${nonce}`,
  grant: (account: AccountId, grant: GrantId) => `g/${account}/${grant}`,
  event: (account: AccountId, seq: number) => `e/${account}/${String(seq)}`,
  vault: (vault: VaultId) => `m/${vault}`,
  /** How much the vault holds, where a quota is set. */
  room: (vault: VaultId) => `m/${vault}.room`,
} as const;
