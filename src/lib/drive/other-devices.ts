import type { FoldedVault } from '../journal/state/folded-vault.ts';
import type { OtherDevice } from '../protocol/credentials.ts';

/** Those that are enrolled and not revoked, in the order of their enrolment. @param own this one's id */
export function otherDevices(state: FoldedVault, own: string): OtherDevice[] {
  const others = [...state.devices.values()].filter(
    ({ device, revoked }) => device !== own && revoked === undefined,
  );
  return others.map(({ device, name }) => {
    const lastHeardMs = state.heartbeats.get(device)?.atMs;
    return { device, name, ...(lastHeardMs !== undefined && { lastHeardMs }) };
  });
}
