import { openContent } from './content.ts';
import { x25519PublicKey } from './ed25519.ts';
import { openEnvelope } from './envelope.ts';
import { demandNoVoid, fromHex, logOf, type Stored } from './golden.ts';
import { openDraft, openRecord } from './inbox.ts';
import { headPhrase, readJournal, type Known } from './journal.ts';
import type { Version } from './operations.ts';
import { equal, sha256, type Bytes } from './primitives.ts';
import { demand, Refused } from './refused.ts';
import { openPages, readState } from './snapshot.ts';
import { encodeState } from './state-bytes.ts';

interface GoldenCapture {
  readonly file: string;
  readonly folder: string;
  readonly name: string;
  readonly contentKeyHex: string;
}

/** `golden.json` of `inbox-v1`: what its files are opened with, and everything that must be found in them. */
export interface GoldenInbox {
  readonly vault: string;
  readonly account: string;
  readonly epoch: number;
  readonly vaultKeyHex: string;
  readonly identityPublicKeyHex: string;
  readonly inboxKeys: readonly {
    readonly blob: string;
    readonly epoch: number;
    readonly atMs: number | null;
    readonly kmsHalfHex: string;
    readonly publicKeyHex: string;
    readonly privateKeyHex: string;
  }[];
  /** In the order of their names; what must not be opened has a code. */
  readonly records: readonly ({ readonly blob: string } & (
    { readonly refused: string } | { readonly captured: GoldenCapture & { readonly version: Version } }
  ))[];
  readonly drafts: readonly (GoldenCapture & {
    readonly blob: string;
    readonly epoch: number;
    readonly sizeBytes: number;
    readonly mediaType: string;
    readonly modifiedAtMs: number;
    readonly addedAtMs: number;
  })[];
  /** The SHA-256 of the contents of the blobs that are there. */
  readonly contents: readonly { readonly blob: string; readonly sha256Hex: string }[];
  readonly head: { readonly seq: number; readonly hashHex: string; readonly phrase: string };
  readonly files: readonly {
    readonly id: string;
    readonly name: string;
    readonly blobs: readonly string[];
  }[];
  readonly rest: {
    readonly snapshotSeq: number;
    readonly unpurged: readonly string[];
    readonly hidden: readonly {
      readonly id: string;
      readonly name: string;
      readonly blobs: readonly string[];
    }[];
    readonly erased: readonly (readonly [id: string, inboxEpoch: number])[];
    readonly oldestInboxEpoch: number;
    readonly heartbeats: readonly {
      readonly device: string;
      readonly seq: number;
      readonly inboxEpoch: number | null;
    }[];
    readonly skipped: number;
  };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const namesIn = (stored: Stored, folder: string): string[] =>
  [...stored.keys()]
    .filter((name) => name.startsWith(folder))
    .map((name) => name.slice(folder.length))
    .sort();

/**
 * Opens every stored object of `inbox-v1` with the secrets of `golden`, and tells what is in them in its terms.
 * @throws {Refused} at the first that is not as it was written; a record that is refused is told of
 */
export function findGoldenInbox(stored: Stored, golden: GoldenInbox): GoldenInbox {
  const at = (name: string): Bytes => {
    const bytes = stored.get(name);
    demand(bytes !== undefined, 'not_found', 'no such object');
    return bytes;
  };
  const { vault, account, epoch, vaultKeyHex, identityPublicKeyHex } = golden;
  const known: Known = {
    ...{ vault, account, epoch },
    vaultKey: fromHex(vaultKeyHex),
    identityPublicKey: fromHex(identityPublicKeyHex),
  };
  const encoded: Bytes[] = [];
  const reading = readJournal(known, logOf(stored), (each, place) => {
    encoded[place.seq] = encodeState(each, place);
  });
  if (reading.refusal) throw reading.refusal;
  demandNoVoid(reading);
  const { state, head } = reading;
  const { snapshot } = state;
  demand(head !== undefined && snapshot !== undefined, 'snapshot_wrong', 'no head, or no snapshot');
  const bytes = openPages(known, snapshot, (page) => at(`snapshots/${String(snapshot.seq)}/${page}`));
  demand(equal(bytes, encoded[snapshot.seq] ?? new Uint8Array(0)), 'snapshot_wrong', 'not what the log says');
  readState(known, snapshot, bytes);

  const inboxKeys = state.inboxKeys.map(({ inbox, atMs }, index) => {
    const kmsHalfHex = golden.inboxKeys[index]?.kmsHalfHex ?? '';
    const json = Buffer.from(at(`keys/${inbox.blob}/${String(epoch)}`)).toString();
    const halves = { ...known, purpose: 'inbox', blob: inbox.blob, kmsHalf: fromHex(kmsHalfHex) } as const;
    const privateKey = openEnvelope(json, halves);
    demand(equal(x25519PublicKey(privateKey), inbox.publicKey), 'envelope_corrupt', 'another key');
    const [publicKeyHex, privateKeyHex] = [hex(inbox.publicKey), hex(privateKey)];
    return {
      blob: inbox.blob,
      epoch: inbox.epoch,
      atMs: atMs ?? null,
      kmsHalfHex,
      publicKeyHex,
      privateKeyHex,
    };
  });
  const privateKeyOf = (inboxEpoch: number): Bytes => fromHex(inboxKeys[inboxEpoch]?.privateKeyHex ?? '');

  // In the order of their blobs, whichever device has left them.
  const recordNames = namesIn(stored, 'inbox/').map((name) => ({ name, blob: name.split('/')[1] ?? '' }));
  recordNames.sort((a, b) => (a.blob < b.blob ? -1 : 1));
  const records = recordNames.map(({ name, blob }) => {
    try {
      const { contentKey, ...rest } = openRecord(state, vault, blob, at(`inbox/${name}`), privateKeyOf);
      return { blob, captured: { ...rest, contentKeyHex: hex(contentKey) } };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { blob, refused: error.code };
    }
  });
  const drafts = namesIn(stored, 'drafts/').map((blob) => {
    const { contentKey, ...rest } = openDraft(vault, blob, at(`drafts/${blob}`), privateKeyOf);
    return { ...rest, contentKeyHex: hex(contentKey) };
  });
  const contents = namesIn(stored, 'blobs/').map((blob) => {
    const record = records.find((each) => each.blob === blob);
    demand(record !== undefined && 'captured' in record, 'not_found', 'a blob without a record');
    const { contentKeyHex, version } = record.captured;
    const content = openContent(fromHex(contentKeyHex), { vault, ...version }, at(`blobs/${blob}`));
    return { blob, sha256Hex: hex(sha256(content)) };
  });
  return {
    ...{ vault, account, epoch, vaultKeyHex, identityPublicKeyHex },
    ...{ inboxKeys, records, drafts, contents },
    head: { seq: head.seq, hashHex: hex(head.hash), phrase: headPhrase(head) },
    files: [...state.entries.values()]
      .filter(({ id }) => !state.hidden.has(id))
      .map(({ id, name, versions }) => ({ id, name, blobs: (versions ?? []).map(({ blob }) => blob) })),
    rest: {
      snapshotSeq: snapshot.seq,
      unpurged: [...state.unpurged],
      hidden: [...state.hidden.keys()].map((id) => {
        const { name = '', versions = [] } = state.entries.get(id) ?? {};
        const blobs = versions.toReversed().map(({ blob }) => blob);
        return { id, name, blobs: blobs.filter((blob) => !state.gone.has(blob)) };
      }),
      erased: [...state.erased],
      oldestInboxEpoch: state.oldestInboxEpoch,
      heartbeats: [...state.heartbeats].map(([device, { seq, inboxEpoch }]) => ({
        ...{ device, seq },
        inboxEpoch: inboxEpoch ?? null,
      })),
      skipped: state.skipped,
    },
  };
}
