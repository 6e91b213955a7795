import type { VaultId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import type { Broker } from '../remote/broker.ts';
import type { LiveGrant } from './live-grant.ts';
import type { OpenAccount } from './open-account.ts';
import type { OpenDrive } from './open-drive.ts';
import type { OpenVault } from '../vault/open-vault.ts';

/** What transfers see of an account's vault: it, open as far as the grant goes. */
export function vaultOf(
  {
    localAccount,
    drive,
  }: Pick<OpenAccount, 'localAccount'> & { drive: Pick<OpenDrive, 'journal' | 'inboxUse'> },
  broker: Broker,
  grant: LiveGrant,
): OpenVault {
  const { vault, epoch, vaultKey } = localAccount.account;
  return {
    vault: vault as VaultId,
    epoch,
    vaultKey,
    broker,
    journal: drive.journal,
    inboxUse: drive.inboxUse,
    device: localAccount.device,
    requireGrant: () => grant.require(),
    releasesOfCode: () => grant.current?.releases,
    takeReleased: (name) => grant.current?.ahead?.take(name),
    releasesPerCode: () => Math.max(1, Math.min(grant.current?.releases ?? LIMITS.batch, LIMITS.batch)),
  };
}
