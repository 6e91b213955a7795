import type { backupCodeHash } from '../reader/backup-code.ts';
import type { openContent } from '../reader/content.ts';
import type { openEnvelope } from '../reader/envelope.ts';
import type { openFloe } from '../reader/floe.ts';
import type { openDraft, openRecord } from '../reader/inbox.ts';
import type { headPhrase, Known, readJournal } from '../reader/journal.ts';
import type { readKeyring } from '../reader/keyring.ts';
import type { readWords, recoveryPublicKey } from '../reader/kit.ts';
import type { isSignedBy, sha256 } from '../reader/primitives.ts';
import type { openPages, readState } from '../reader/snapshot.ts';
import type { encodeState } from '../reader/state-bytes.ts';
import type { State } from '../reader/state.ts';
import { bytesIn, bytesOfB64, bytesOfHex, type InboxKnown, type Kit, type VaultKnown } from './kit.ts';

/** What the independent reader can do: its own modules, or a copy of them in which a rule was changed. */
export interface Reader {
  readonly backupCodeHash: typeof backupCodeHash;
  readonly encodeState: typeof encodeState;
  readonly headPhrase: typeof headPhrase;
  readonly isSignedBy: typeof isSignedBy;
  readonly openContent: typeof openContent;
  readonly openDraft: typeof openDraft;
  readonly openEnvelope: typeof openEnvelope;
  readonly openFloe: typeof openFloe;
  readonly openPages: typeof openPages;
  readonly openRecord: typeof openRecord;
  readonly readJournal: typeof readJournal;
  readonly readKeyring: typeof readKeyring;
  readonly readState: typeof readState;
  readonly readWords: typeof readWords;
  readonly recoveryPublicKey: typeof recoveryPublicKey;
  readonly sha256: typeof sha256;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const knownOf = (known: VaultKnown): Known => ({
  vault: known.vault,
  account: known.account,
  epoch: known.epoch,
  vaultKey: bytesOfHex(known.vaultKeyHex),
  identityPublicKey: bytesOfHex(known.identityPublicKeyHex),
});

/** Entries as kit.ts tells them. */
export function treeOf({ entries, hidden }: State): string[] {
  const pathOf = (id: string): string => {
    const entry = entries.get(id);
    return entry === undefined ? '' : `${pathOf(entry.folder)}${entry.name}${entry.versions ? '' : '/'}`;
  };
  return [...entries.values()].map(
    ({ id, trashedAtMs }) =>
      `${pathOf(id)}${trashedAtMs === 0 ? '' : ' [trash]'}${hidden.has(id) ? ' [hidden]' : ''}`,
  );
}

/** Asks the reader about each vector of a kind; its answer has the form of the vector's `expect`. */
export const BY_READER: {
  readonly [K in keyof Kit]: (reader: Reader, kit: Kit[K], vector: Kit[K]['vectors'][number]) => unknown;
} = {
  floe: (reader, _, { keyHex, aadHex, ciphertext }) => {
    const opened = reader.openFloe(bytesOfHex(keyHex), bytesOfHex(aadHex), bytesIn(ciphertext));
    return { sizeBytes: opened.length, sha256Hex: hex(reader.sha256(opened)) };
  },
  contents: (reader, { vault }, { contentKeyHex, version, object }) => {
    const opened = reader.openContent(bytesOfHex(contentKeyHex), { ...version, vault }, bytesIn(object));
    return { sizeBytes: opened.length, sha256Hex: hex(reader.sha256(opened)) };
  },
  envelopes: (reader, { vault }, { json, kmsHalfHex, vaultKeyHex, purpose, blob, epoch }) => {
    const halves = { kmsHalf: bytesOfHex(kmsHalfHex), vaultKey: bytesOfHex(vaultKeyHex) };
    return { keyHex: hex(reader.openEnvelope(json, { ...halves, purpose, vault, blob, epoch })) };
  },
  keyrings: (reader, _, { keyringB64, account, exportKeyHex, recoveryEntropyHex = '' }) => {
    const opener =
      exportKeyHex === undefined
        ? { recoveryEntropy: bytesOfHex(recoveryEntropyHex) }
        : { exportKey: bytesOfHex(exportKeyHex) };
    const keyring = reader.readKeyring(bytesOfB64(keyringB64), account, opener);
    const { version, userName } = keyring;
    const [vaultKeyHex, sharingPrivateKeyHex] = [hex(keyring.vaultKey), hex(keyring.sharingPrivateKey)];
    return { version, vaultKeyHex, userName, sharingPrivateKeyHex };
  },
  words: (reader, _, { text }) => {
    const entropy = reader.readWords(text);
    return { entropyHex: hex(entropy), publicKeyHex: hex(reader.recoveryPublicKey(entropy)) };
  },
  'backup-codes': (reader, _, { account, text }) => ({
    hashHex: hex(reader.backupCodeHash(account, text)),
  }),
  signatures: (reader, _, { publicKeyHex, messageHex, signatureHex }) => ({
    isSigned: reader.isSignedBy(bytesOfHex(publicKeyHex), bytesOfHex(signatureHex), bytesOfHex(messageHex)),
  }),
  journals: (reader, kit, { segmentsB64, laterKeys = [] }) => {
    const turned = laterKeys.map(({ vaultKeyHex, objectB64 }) => ({
      vaultKey: bytesOfHex(vaultKeyHex),
      object: bytesOfB64(objectB64),
    }));
    const known = { ...knownOf(kit), turned };
    const { state, head, refusal } = reader.readJournal(known, segmentsB64.map(bytesOfB64));
    return {
      refused: refusal?.code ?? null,
      head: head === undefined ? null : reader.headPhrase(head),
      skipped: state.skipped,
      tree: treeOf(state),
      stateSha256Hex: head === undefined ? null : hex(reader.sha256(reader.encodeState(state, head))),
    };
  },
  snapshots: (reader, kit, { snapshot, pagesB64 }) => {
    const named = {
      seq: snapshot.seq,
      hash: bytesOfHex(snapshot.hashHex),
      stateHash: bytesOfHex(snapshot.stateHashHex),
      pages: snapshot.pages.map(({ hashHex, ...page }) => ({ ...page, hash: bytesOfHex(hashHex) })),
    };
    const bytes = reader.openPages(knownOf(kit), named, (page) => bytesOfB64(pagesB64[page] ?? ''));
    const state = reader.readState(knownOf(kit), named, bytes);
    return { tree: treeOf(state), skipped: state.skipped };
  },
  records: (reader, kit, { blob, recordB64 }) => {
    const { state } = reader.readJournal(knownOf(kit), kit.segmentsB64.map(bytesOfB64));
    const found = reader.openRecord(state, kit.vault, blob, bytesOfB64(recordB64), privateKeyOf(kit));
    const { file, folder, name, contentKey } = found;
    return { file, folder, name, contentKeyHex: hex(contentKey) };
  },
  drafts: (reader, kit, { blob, recordB64 }) => {
    const found = reader.openDraft(kit.vault, blob, bytesOfB64(recordB64), privateKeyOf(kit));
    const { file, folder, name, contentKey } = found;
    return { file, folder, name, contentKeyHex: hex(contentKey) };
  },
};

const privateKeyOf =
  ({ inboxPrivateKeysHex }: InboxKnown) =>
  (epoch: number): Uint8Array =>
    bytesOfHex(inboxPrivateKeysHex[epoch] ?? '');

/** What the reader makes of a vector: what it found, or the code that it refused it with. */
export function outcomeOf<K extends keyof Kit>(
  reader: Reader,
  kind: K,
  kit: Kit[K],
  vector: Kit[K]['vectors'][number],
): unknown {
  try {
    return BY_READER[kind](reader, kit, vector);
  } catch (error) {
    // A copy of the reader has a class of its own for what it refuses.
    if (error instanceof Error && error.name === 'Refused' && 'code' in error) return { refused: error.code };
    throw error;
  }
}
