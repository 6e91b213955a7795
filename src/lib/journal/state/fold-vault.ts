import { equalBytes, type Bytes } from '../../bytes.ts';
import type { FoldedVault } from './folded-vault.ts';
import { unneededBelow } from './inbox-epochs.ts';
import type { Operation } from '../entries/operations.ts';

/** Where an operation stands. */
export interface Standing {
  readonly seq: number;
  readonly prevHash: Bytes;
  /** Id of the device, or `undefined` for the identity key. */
  readonly writer: string | undefined;
}

type Of<Kind extends Operation['kind']> = Extract<Operation, { kind: Kind }>;

/** Operations on what a vault has besides files and folders. */
export type VaultOperation = Of<
  | 'genesis'
  | 'device-enrol'
  | 'device-revoke'
  | 'inbox-key'
  | 'inbox-retire'
  | 'keyring'
  | 'snapshot'
  | 'heartbeat'
>;

/** @returns false when the operation makes no sense, and then nothing has changed */
export function applyToVault(state: FoldedVault, at: Standing, operation: VaultOperation): boolean {
  switch (operation.kind) {
    case 'genesis':
      return begin(state, at, operation);
    case 'device-enrol': {
      // A revoked id stays revoked: its old certificate, still valid by itself, must not bring it back.
      if (state.devices.has(operation.device)) return false;
      const { device, publicKey, name, certificate } = operation;
      state.devices.set(device, { device, publicKey, name, certificate, enrolledSeq: at.seq });
      return true;
    }
    case 'device-revoke': {
      const device = state.trustedDevice(operation.device);
      if (device === undefined) return false;
      state.devices.set(device.device, { ...device, revokedSeq: at.seq });
      return true;
    }
    case 'inbox-key': {
      const { inbox, atMs } = operation;
      const isNext = inbox.epoch === (state.newestInboxKey?.epoch ?? -1) + 1;
      if (!isNext || state.hasBlob(inbox.blob)) return false;
      state.inboxKeys.push({ ...inbox, atMs });
      state.index.blobs.add(inbox.blob);
      return true;
    }
    case 'inbox-retire':
      return retire(state, operation.epoch);
    case 'keyring': {
      const { version, hash } = operation;
      if (version <= (state.keyring?.version ?? -1)) return false;
      state.keyring = { version, hash };
      return true;
    }
    case 'snapshot': {
      const { snapshot } = operation;
      if (snapshot.seq >= at.seq || snapshot.seq <= (state.snapshot?.seq ?? -1)) return false;
      state.snapshot = snapshot;
      return true;
    }
    case 'heartbeat':
      return hear(state, at, operation);
  }
}

function begin(state: FoldedVault, at: Standing, operation: Of<'genesis'>): boolean {
  if (at.seq !== 0 || state.genesis !== undefined) return false;
  const { vault, account, identityPublicKey, inbox, atMs } = operation;
  state.genesis = { vault, account, identityPublicKey, atMs };
  state.inboxKeys.push({ ...inbox, atMs });
  state.index.blobs.add(inbox.blob);
  return true;
}

function hear(state: FoldedVault, at: Standing, { seq, hash, atMs, inboxEpoch }: Of<'heartbeat'>): boolean {
  const isBehind = seq < at.seq - 1 || (seq === at.seq - 1 && equalBytes(hash, at.prevHash));
  // Nobody can do without a key that is not made yet.
  const isKnown = inboxEpoch === undefined || inboxEpoch <= (state.newestInboxKey?.epoch ?? -1);
  if (at.writer === undefined || !isBehind || !isKnown) return false;
  state.heartbeats.set(at.writer, { seq, hash, atMs, inboxEpoch });
  return true;
}

/** With a key goes what had to be remembered because of it. */
function retire(state: FoldedVault, epoch: number): boolean {
  if (epoch <= state.oldestInboxEpoch || epoch > unneededBelow(state)) return false;
  for (const key of state.inboxKeys) {
    if (key.epoch >= state.oldestInboxEpoch && key.epoch < epoch) state.unpurged.add(key.blob);
  }
  for (const [id, erasedAt] of state.erased) if (erasedAt < epoch) state.erased.delete(id);
  state.oldestInboxEpoch = epoch;
  return true;
}
