import { backupCodeHash } from './backup-code.ts';
import { openContent } from './content.ts';
import { x25519PublicKey } from './ed25519.ts';
import { openEnvelope } from './envelope.ts';
import { headPhrase, readJournal, type Known, type Reading } from './journal.ts';
import { readKeyring, type Keyring, type Opener } from './keyring.ts';
import { answerChallenge, readWords, recoveryPublicKey } from './kit.ts';
import type { Version } from './operations.ts';
import { equal, sha256, type Bytes } from './primitives.ts';
import { demand } from './refused.ts';
import { openPages, readState } from './snapshot.ts';
import { encodeState } from './state-bytes.ts';

/** One blob, what opens it, and what is in it. */
export interface GoldenBlob {
  readonly blob: string;
  readonly kmsHalfHex: string;
  readonly contentKeyHex: string;
  readonly sizeBytes: number;
  readonly sha256Hex: string;
}

/** `golden.json`: what the golden files are opened with, and everything that must be found in them. */
export interface Golden {
  readonly account: string;
  readonly vault: string;
  readonly epoch: number;
  readonly exportKeyHex: string;
  readonly recoveryWords: string;
  readonly recoveryPublicKeyHex: string;
  readonly recoveryChallengeHex: string;
  readonly recoveryAnswerHex: string;
  readonly backupCode: string;
  readonly backupCodeHashHex: string;
  readonly keyring: {
    readonly version: number;
    readonly userName: string;
    readonly serverPublicKey: string;
    readonly accountKeyHex: string;
    readonly identityPublicKeyHex: string;
    readonly sharingPrivateKeyHex: string;
    readonly vaultKeyHex: string;
  };
  readonly inbox: {
    readonly blob: string;
    readonly kmsHalfHex: string;
    readonly privateKeyHex: string;
    readonly publicKeyHex: string;
  };
  readonly blobs: readonly GoldenBlob[];
  readonly head: { readonly seq: number; readonly hashHex: string; readonly phrase: string };
  /** In the order of their coming. */
  readonly entries: readonly {
    readonly id: string;
    readonly folder: string;
    readonly name: string;
    /** 0 outside the trash. */
    readonly trashedAtMs: number;
    readonly tags: readonly string[];
    /** Oldest first; null for a folder. */
    readonly versions: readonly Version[] | null;
  }[];
  readonly devices: readonly {
    readonly device: string;
    readonly name: string;
    readonly publicKeyHex: string;
    readonly agreementKeyHex: string;
    readonly enrolledSeq: number;
    readonly revoked: { readonly seq: number; readonly since: number } | null;
  }[];
  readonly rest: {
    readonly snapshotSeq: number;
    readonly unpurged: readonly string[];
    readonly skipped: number;
    readonly heartbeats: readonly { readonly device: string; readonly seq: number; readonly atMs: number }[];
  };
}

/** The stored objects by their names, without `v/<vault>/`. */
export type Stored = ReadonlyMap<string, Bytes>;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const fromHex = (digits: string): Bytes => Uint8Array.from(Buffer.from(digits, 'hex'));

function objectIn(stored: Stored, name: string): Bytes {
  const bytes = stored.get(name);
  demand(bytes !== undefined, 'not_found', 'no such object');
  return bytes;
}

/** What the keyring says about the journal. */
export const knownOf = ({ account }: Golden, keyring: Keyring): Known => ({
  vault: keyring.vault,
  account,
  epoch: keyring.epoch,
  vaultKey: keyring.vaultKey,
  identityPublicKey: keyring.identityPublicKey,
});

/** All segments, up to the first number that is missing. */
export function logOf(stored: Stored): Bytes[] {
  const log: Bytes[] = [];
  for (let seq = 0; stored.has(`log/${String(seq)}`); seq += 1)
    log.push(objectIn(stored, `log/${String(seq)}`));
  return log;
}

/**
 * Opens every stored object with the secrets of `golden`, and tells what is in them in the terms of `golden`.
 * @throws {Refused} at the first that is not as it was written
 */
export function findGolden(stored: Stored, golden: Golden): Golden {
  const recoveryEntropy = readWords(golden.recoveryWords);
  const openers: Opener[] = [{ exportKey: fromHex(golden.exportKeyHex) }, { recoveryEntropy }];
  const [keyring, byKit] = openers.map((opener) =>
    readKeyring(objectIn(stored, 'keyring'), golden.account, opener),
  );
  demand(keyring !== undefined && byKit !== undefined, 'keyring_corrupt', 'no keyring');
  demand(equal(keyring.vaultKey, byKit.vaultKey), 'keyring_corrupt', 'two vault keys');
  const known = knownOf(golden, keyring);
  const reading = readWhole(stored, known);
  const { state } = reading;
  demand(
    state.keyring?.version === keyring.version &&
      equal(state.keyring.hash, sha256(objectIn(stored, 'keyring'))),
    'keyring_corrupt',
    'not the keyring that the journal pins',
  );
  const halves = { vaultKey: keyring.vaultKey, vault: known.vault, epoch: known.epoch };
  const envelope = (purpose: 'file' | 'inbox', blob: string, kmsHalfHex: string): Bytes => {
    const json = Buffer.from(objectIn(stored, `keys/${blob}/${String(known.epoch)}`)).toString();
    return openEnvelope(json, { ...halves, purpose, blob, kmsHalf: fromHex(kmsHalfHex) });
  };
  const inboxPrivateKey = envelope('inbox', golden.inbox.blob, golden.inbox.kmsHalfHex);
  return {
    account: golden.account,
    vault: keyring.vault,
    epoch: keyring.epoch,
    exportKeyHex: golden.exportKeyHex,
    recoveryWords: golden.recoveryWords,
    recoveryPublicKeyHex: hex(recoveryPublicKey(recoveryEntropy)),
    recoveryChallengeHex: golden.recoveryChallengeHex,
    recoveryAnswerHex: hex(answerChallenge(recoveryEntropy, fromHex(golden.recoveryChallengeHex))),
    backupCode: golden.backupCode,
    backupCodeHashHex: hex(backupCodeHash(golden.account, golden.backupCode)),
    keyring: {
      version: keyring.version,
      userName: keyring.userName,
      serverPublicKey: keyring.serverPublicKey,
      accountKeyHex: hex(keyring.accountKey),
      identityPublicKeyHex: hex(keyring.identityPublicKey),
      sharingPrivateKeyHex: hex(keyring.sharingPrivateKey),
      vaultKeyHex: hex(keyring.vaultKey),
    },
    inbox: {
      ...golden.inbox,
      privateKeyHex: hex(inboxPrivateKey),
      publicKeyHex: hex(x25519PublicKey(inboxPrivateKey)),
    },
    blobs: golden.blobs.map(({ blob, kmsHalfHex }) => {
      const version = state.versions.find((each) => each.blob === blob);
      demand(version !== undefined, 'journal_corrupt', 'a blob that the journal does not know');
      const contentKey = envelope('file', blob, kmsHalfHex);
      const place = { ...version, vault: known.vault };
      const content = openContent(contentKey, place, objectIn(stored, `blobs/${blob}`));
      return {
        blob,
        kmsHalfHex,
        contentKeyHex: hex(contentKey),
        sizeBytes: content.length,
        sha256Hex: hex(sha256(content)),
      };
    }),
    ...describe(reading),
  };
}

/** A segment that counts for nothing is not a fault of a journal; but what was written as golden has none. */
export function demandNoVoid({ voids }: Reading): void {
  demand(voids.length === 0, 'journal_corrupt', 'a segment that counts for nothing');
}

/** The whole log, and the newest snapshot compared with it. */
function readWhole(stored: Stored, known: Known): Reading {
  const encoded: Bytes[] = [];
  const reading = readJournal(known, logOf(stored), (state, head) => {
    encoded[head.seq] = encodeState(state, head);
  });
  if (reading.refusal) throw reading.refusal;
  demandNoVoid(reading);
  const { snapshot } = reading.state;
  demand(snapshot !== undefined, 'snapshot_wrong', 'no snapshot');
  const fetch = (page: string): Bytes => objectIn(stored, `snapshots/${String(snapshot.seq)}/${page}`);
  const bytes = openPages(known, snapshot, fetch);
  demand(equal(bytes, encoded[snapshot.seq] ?? new Uint8Array(0)), 'snapshot_wrong', 'not what the log says');
  readState(known, snapshot, bytes);
  return reading;
}

function describe({ state, head }: Reading): Pick<Golden, 'head' | 'entries' | 'devices' | 'rest'> {
  demand(head !== undefined, 'journal_corrupt', 'no segment');
  return {
    head: { seq: head.seq, hashHex: hex(head.hash), phrase: headPhrase(head) },
    entries: [...state.entries.values()].map(({ versions, ...entry }) => ({
      ...entry,
      versions: versions ?? null,
    })),
    devices: [...state.devices.values()].map(({ enrolment, enrolledSeq, revoked }) => ({
      device: enrolment.device,
      name: enrolment.name,
      publicKeyHex: hex(enrolment.publicKey),
      agreementKeyHex: hex(enrolment.agreementKey),
      enrolledSeq,
      revoked: revoked ?? null,
    })),
    rest: {
      snapshotSeq: state.snapshot?.seq ?? -1,
      unpurged: [...state.unpurged],
      skipped: state.skipped,
      heartbeats: [...state.heartbeats].map(([device, { seq, atMs }]) => ({ device, seq, atMs })),
    },
  };
}
