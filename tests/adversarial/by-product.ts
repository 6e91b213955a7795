import type { BlobId, VaultId } from '$contract/ids.ts';
import { openKeyring } from '../../src/lib/account/keyring.ts';
import { parseFactor } from '../../src/lib/account/factor.ts';
import { hashBackupCode } from '../../src/lib/account/backup-codes.ts';
import { parseRecoveryWords, recoveryKeyPair } from '../../src/lib/account/recovery.ts';
import { concat, toHex, type Bytes } from '../../src/lib/bytes.ts';
import { sha256 } from '../../src/lib/crypto/digest.ts';
import { openEnvelope } from '../../src/lib/crypto/envelope.ts';
import { open } from '../../src/lib/crypto/floe.ts';
import { generateDeviceKeyPair, verify } from '../../src/lib/crypto/signing.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { draftEpoch, openDraft } from '../../src/lib/inbox/draft.ts';
import { openRecord, readRecord, type CapturedFile } from '../../src/lib/inbox/record.ts';
import { headPhrase } from '../../src/lib/journal/entries/head-phrase.ts';
import { Journal } from '../../src/lib/journal/journal.ts';
import { JournalKeys, type EpochKey } from '../../src/lib/journal/journal-keys.ts';
import { loadSnapshot } from '../../src/lib/journal/snapshot.ts';
import type { Entry, FoldedVault } from '../../src/lib/journal/state/folded-vault.ts';
import { encodeState } from '../../src/lib/journal/state/state-encoding.ts';
import type { Broker } from '../../src/lib/remote/broker.ts';
import { readContent, type KeptParts } from '../../src/lib/transfer/download/opening.ts';
import { fromRecord } from '../../src/lib/vault/envelope-record.ts';
import { MemoryCache, MemoryRemote } from '../journal/memory-remote.ts';
import {
  bytesIn,
  bytesOfB64,
  bytesOfHex,
  type InboxKnown,
  type JournalVector,
  type Kit,
  type VaultKnown,
} from './kit.ts';

/** How a vector's `expect` is found by the product's own reader. */
type Product = {
  readonly [K in keyof Kit]: (kit: Kit[K], vector: Kit[K]['vectors'][number]) => Promise<unknown>;
};

/** Paths of all entries in the order of their coming, as kit.ts tells them. */
function treeOf(state: FoldedVault): string[] {
  const at = (id: string): Entry | undefined => {
    const index = state.index.byId.get(id);
    return index === undefined ? undefined : state.entryAt(index);
  };
  const pathOf = (id: string): string => {
    const entry = at(id);
    return entry === undefined ? '' : `${pathOf(entry.folder)}${entry.name}${entry.isFolder ? '/' : ''}`;
  };
  const mark = (id: string): string => (state.hidden.has(state.index.byId.get(id) ?? -1) ? ' [hidden]' : '');
  return [...state.index.byId.keys()].map(
    (id) => `${pathOf(id)}${at(id)?.trashedAtMs === undefined ? '' : ' [trash]'}${mark(id)}`,
  );
}

const firstKeyOf = ({ epoch, vaultKeyHex }: VaultKnown): EpochKey => ({
  epoch,
  vaultKey: bytesOfHex(vaultKeyHex),
});

async function openJournal(
  known: VaultKnown,
  segmentsB64: readonly string[],
  laterKeys: JournalVector['laterKeys'] = [],
): Promise<Journal> {
  const remote = new MemoryRemote();
  remote.log.push(...segmentsB64.map(bytesOfB64));
  const identity = {
    vault: known.vault,
    account: known.account,
    vaultKeys: [
      firstKeyOf(known),
      ...laterKeys.map(({ vaultKeyHex, objectB64 }, index) => ({
        epoch: index + 1,
        vaultKey: bytesOfHex(vaultKeyHex),
        previous: bytesOfB64(objectB64),
      })),
    ],
    identityPublicKey: bytesOfHex(known.identityPublicKeyHex),
    // It signs nothing here.
    device: { id: 'A'.repeat(22), ...(await generateDeviceKeyPair()) },
  };
  return Journal.open({ identity, remote, cache: new MemoryCache(), nowMs: () => 0 });
}

/** What it holds of a blob is on this device, so that it need not be fetched; what it lacks is nowhere. */
function keptIn(object: Bytes): KeptParts {
  return {
    part: ({ offsetBytes, sizeBytes }) => {
      if (object.length < offsetBytes + sizeBytes) {
        throw new HalfkeyError('ciphertext_truncated', 'the store has no such range');
      }
      return Promise.resolve(new Blob([object.slice(offsetBytes, offsetBytes + sizeBytes)]));
    },
    onWrong: () => undefined,
  };
}

const capturedIn = ({ file, folder, name, contentKey }: Omit<CapturedFile, 'version'>): object => ({
  file,
  folder,
  name,
  contentKeyHex: toHex(contentKey),
});

async function inboxKeyOf(
  { inboxPrivateKeysHex, ...known }: InboxKnown,
  epoch: number,
): Promise<{ epoch: number; publicKey: Bytes; privateKey: Bytes }> {
  const { state } = await openJournal(known, known.segmentsB64);
  const { publicKey } = state.inboxKeys.find((key) => key.epoch === epoch) ?? {
    publicKey: new Uint8Array(32),
  };
  return { epoch, publicKey, privateKey: bytesOfHex(inboxPrivateKeysHex[epoch] ?? '') };
}

const BY_PRODUCT: Product = {
  floe: async (_, { keyHex, aadHex, ciphertext }) => {
    const opened = await open(bytesOfHex(keyHex), bytesOfHex(aadHex), bytesIn(ciphertext));
    return { sizeBytes: opened.length, sha256Hex: toHex(await sha256(opened)) };
  },
  contents: async ({ vault }, { contentKeyHex, version, object }) => {
    const where = { broker: {} as Broker, vault: vault as VaultId, kept: keptIn(bytesIn(object)) };
    const stored = { ...version, blob: version.blob as BlobId };
    const parts: Bytes[] = [];
    const { signal } = new AbortController();
    for await (const part of readContent(where, stored, bytesOfHex(contentKeyHex), signal)) {
      parts.push(part.slice());
    }
    const content = concat(...parts);
    return { sizeBytes: content.length, sha256Hex: toHex(await sha256(content)) };
  },
  envelopes: async ({ vault }, { json, kmsHalfHex, vaultKeyHex, purpose, blob, epoch }) => {
    const envelope = fromRecord(parsed(json));
    const halves = { kmsHalf: bytesOfHex(kmsHalfHex), vaultKey: bytesOfHex(vaultKeyHex) };
    return { keyHex: toHex(await openEnvelope({ ...halves, purpose, vault, blob, epoch, envelope })) };
  },
  keyrings: async (_, { keyringB64, account, exportKeyHex, recoveryEntropyHex = '' }) => {
    const secret =
      exportKeyHex === undefined
        ? { recoveryEntropy: bytesOfHex(recoveryEntropyHex) }
        : { exportKey: bytesOfHex(exportKeyHex) };
    const keyring = await openKeyring(bytesOfB64(keyringB64), account, secret);
    return {
      version: keyring.version,
      vaultKeyHex: toHex(keyring.vaultKey.key),
      userName: keyring.userName,
      sharingPrivateKeyHex: toHex(keyring.sharing.privateKey),
    };
  },
  words: async (_, { text }) => {
    const entropy = await parseRecoveryWords(text);
    return { entropyHex: toHex(entropy), publicKeyHex: toHex((await recoveryKeyPair(entropy)).publicKey) };
  },
  'backup-codes': async (_, { account, text }) => {
    const factor = parseFactor({ backupCode: text });
    return { hashHex: toHex(await hashBackupCode(account, 'backupCode' in factor ? factor.backupCode : '')) };
  },
  signatures: async (_, { publicKeyHex, messageHex, signatureHex }) => ({
    isSigned: await verify(bytesOfHex(publicKeyHex), bytesOfHex(messageHex), bytesOfHex(signatureHex)),
  }),
  journals: async (kit, { segmentsB64, laterKeys }) => {
    const journal = await openJournal(kit, segmentsB64, laterKeys).catch((error: unknown) => {
      if (error instanceof HalfkeyError) return error;
      throw error;
    });
    if (journal instanceof HalfkeyError) {
      return { refused: journal.code, head: null, skipped: 0, tree: [], stateSha256Hex: null };
    }
    const { state, head, problem } = journal;
    return {
      refused: problem?.code ?? null,
      head: headPhrase(head),
      skipped: state.skippedOperations,
      tree: treeOf(state),
      stateSha256Hex: toHex(await sha256(encodeState(state, head))),
    };
  },
  snapshots: async (kit, { snapshot, pagesB64 }) => {
    const remote = new MemoryRemote();
    for (const [page, b64] of Object.entries(pagesB64)) {
      remote.pages.set(`${String(snapshot.seq)}/${page}`, bytesOfB64(b64));
    }
    const named = {
      seq: snapshot.seq,
      hash: bytesOfHex(snapshot.hashHex),
      stateHash: bytesOfHex(snapshot.stateHashHex),
      pages: snapshot.pages.map(({ hashHex, ...page }) => ({ ...page, sha256: bytesOfHex(hashHex) })),
    };
    const root = {
      vault: kit.vault,
      account: kit.account,
      identityPublicKey: bytesOfHex(kit.identityPublicKeyHex),
    };
    const keys = await JournalKeys.derive(kit.vault, [firstKeyOf(kit)]);
    const { state } = await loadSnapshot({ root, keys }, remote, named, kit.epoch);
    return { tree: treeOf(state), skipped: state.skippedOperations };
  },
  records: async (kit, { blob, recordB64 }) => {
    const { state } = await openJournal(kit, kit.segmentsB64);
    const signed = await readRecord(state, kit.vault, blob, bytesOfB64(recordB64));
    const key = await inboxKeyOf(kit, signed.inboxEpoch);
    return capturedIn(await openRecord(signed, { vault: kit.vault, blob }, key));
  },
  drafts: async (kit, { blob, recordB64 }) => {
    const bytes = bytesOfB64(recordB64);
    const key = await inboxKeyOf(kit, draftEpoch(bytes));
    return capturedIn(await openDraft(bytes, { vault: kit.vault, blob }, key));
  },
};

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined; // As what it comes in would be no answer at all.
  }
}

/** What the product makes of a vector: what it found, or the code that it refused it with. */
export async function outcomeByProduct<K extends keyof Kit>(
  kind: K,
  kit: Kit[K],
  vector: Kit[K]['vectors'][number],
): Promise<unknown> {
  try {
    return await BY_PRODUCT[kind](kit, vector);
  } catch (error) {
    if (error instanceof HalfkeyError) return { refused: error.code };
    throw error;
  }
}
