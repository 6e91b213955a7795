import { FoldedVault } from './folded-vault.ts';
import { inheritOrders } from './listing.ts';
import type { EntryTable, VersionTable } from './tables.ts';

/** A state of its own that is the same: what is folded into it does not touch the other. */
export function copyOf(state: FoldedVault): FoldedVault {
  const copy = new FoldedVault(
    copyColumns<EntryTable>(state.entries),
    copyColumns<VersionTable>(state.versions),
  );
  copy.genesis = state.genesis;
  copy.keyring = state.keyring;
  copy.snapshot = state.snapshot;
  copy.base = state.base;
  copy.skippedOperations = state.skippedOperations;
  copy.revision = state.revision;
  copy.oldestInboxEpoch = state.oldestInboxEpoch;
  copy.epochs.push(...state.epochs);
  copy.inboxKeys.push(...state.inboxKeys);
  for (const [id, device] of state.devices) copy.devices.set(id, device);
  for (const [id, heartbeat] of state.heartbeats) copy.heartbeats.set(id, heartbeat);
  for (const blob of state.unpurged) copy.unpurged.add(blob);
  for (const [entry, device] of state.hidden) copy.hidden.set(entry, device);
  for (const blob of state.gone) copy.gone.add(blob);
  for (const [id, epoch] of state.erased) copy.erased.set(id, epoch);
  for (const [entry, tags] of state.tags) copy.tags.set(entry, tags);
  inheritOrders(copy, state);
  return copy;
}

function copyColumns<Table extends object>(table: Table): Table {
  const columns = Object.entries(table).map(([name, column]) => [name, (column as unknown[]).slice()]);
  return Object.fromEntries(columns) as Table;
}
