import { equalBytes, type Bytes } from '../../bytes.ts';
import { NO_ENTRY } from './entry-index.ts';
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
  | 'epoch'
>;

/** @returns false when the operation makes no sense, and then nothing has changed */
export function applyToVault(state: FoldedVault, at: Standing, operation: VaultOperation): boolean {
  switch (operation.kind) {
    case 'genesis':
      return begin(state, at, operation);
    case 'device-enrol': {
      // A revoked id stays revoked: its old certificate, still valid by itself, must not bring it back.
      if (state.devices.has(operation.device)) return false;
      const { device, publicKey, agreementKey, name, certificate } = operation;
      state.devices.set(device, { device, publicKey, agreementKey, name, certificate, enrolledSeq: at.seq });
      return true;
    }
    case 'device-revoke': {
      const { since } = operation;
      const device = state.devices.get(operation.device);
      if (device === undefined || since > at.seq || since >= (device.revoked?.since ?? Infinity))
        return false;
      state.devices.set(device.device, { ...device, revoked: { seq: device.revoked?.seq ?? at.seq, since } });
      dropSnapshotsSince(state, since);
      return true;
    }
    case 'inbox-key': {
      const { inbox, atMs } = operation;
      const isNext = inbox.epoch === (state.newestInboxKey?.epoch ?? -1) + 1;
      if (!isNext || state.hasBlob(inbox.blob)) return false;
      state.inboxKeys.push({ ...inbox, atMs, writer: at.writer, seq: at.seq });
      state.index.blobs.set(inbox.blob, NO_ENTRY);
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
      if (at.writer === undefined) state.base = { snapshot, seq: at.seq };
      return true;
    }
    case 'heartbeat':
      return hear(state, at, operation);
    case 'epoch':
      return turn(state, at, operation);
  }
}

/** What was encoded while a device was believed says nothing of the state without what it signed. */
function dropSnapshotsSince(state: FoldedVault, since: number): void {
  if (state.snapshot && state.snapshot.seq >= since) state.snapshot = undefined;
  if (state.base && state.base.snapshot.seq >= since) state.base = undefined;
}

/** The new key reaches every device that is trusted, and no other. */
function turn(state: FoldedVault, at: Standing, { epoch, rotation, hash, boxes }: Of<'epoch'>): boolean {
  const trusted = [...state.devices.keys()].filter((device) => state.trustedDevice(device));
  const named = new Set(boxes.map(({ device }) => device));
  const isForAll = named.size === boxes.length && named.size === trusted.length;
  if (epoch !== state.epoch + 1 || !isForAll || !trusted.every((device) => named.has(device))) return false;
  state.epochs.push({ epoch, rotation, hash, boxes, seq: at.seq });
  return true;
}

function begin(state: FoldedVault, at: Standing, operation: Of<'genesis'>): boolean {
  if (at.seq !== 0 || state.genesis !== undefined) return false;
  const { vault, account, identityPublicKey, inbox, atMs } = operation;
  state.genesis = { vault, account, identityPublicKey, atMs };
  state.inboxKeys.push({ ...inbox, atMs, writer: undefined, seq: at.seq });
  state.index.blobs.set(inbox.blob, NO_ENTRY);
  return true;
}

function hear(state: FoldedVault, at: Standing, { seq, hash, atMs, inboxEpoch }: Of<'heartbeat'>): boolean {
  const isBehind = seq < at.seq - 1 || (seq === at.seq - 1 && equalBytes(hash, at.prevHash));
  // The oldest key that a device needs is one that there is.
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
