import type { VaultId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import type { Broker } from '../../remote/broker.ts';
import type { LiveGrant } from './live-grant.ts';
import type { Home } from './home.ts';
import type { OpenVault } from '../vault.ts';

/** What transfers see of a home: its vault, open as far as the grant goes. */
export function vaultOf(
  { resident, journal, inboxUse }: Pick<Home, 'resident' | 'journal' | 'inboxUse'>,
  broker: Broker,
  grant: LiveGrant,
): OpenVault {
  const { vault, epoch, vaultKey } = resident.account;
  return {
    vault: vault as VaultId,
    epoch,
    vaultKey,
    broker,
    journal,
    inboxUse,
    device: resident.device,
    requireGrant: () => grant.require(),
    releasesPerCode: () => Math.max(1, Math.min(grant.current?.releases ?? LIMITS.batch, LIMITS.batch)),
  };
}
