import * as v from 'valibot';
import { type EnvelopeName, EnvelopeRecord, type KeyPurpose } from '../../contract/envelope.ts';
import type { BlobId, GrantId, VaultId } from '../../contract/ids.ts';
import type { VaultKms } from '../../ports/kms.ts';
import type { VaultObjects } from '../../ports/vaults.ts';
import { blobKeys, halfContext } from './blob-keys.ts';
import { mapBounded } from '../bounded.ts';
import type { EventLog } from '../state/event-log.ts';
import type { Grants } from '../auth/grants.ts';
import { BrokerProblem } from '../problem.ts';
import type { Session } from '../account/session.ts';
import type { Usage } from './usage.ts';

interface ReleasedKey {
  readonly blob: BlobId;
  readonly epoch: number;
  readonly envelope: EnvelopeRecord;
  /** 32 bytes. */
  readonly kmsHalf: Uint8Array;
}

/** KMS halves against a grant, and the envelopes that hold their KMS blobs. */
export interface Keys {
  /** @throws BrokerProblem `grant_missing`, `grant_spent`, and of KMS `kms_unreachable`, `kms_key_unusable` */
  generate(
    session: Session,
    vault: VaultId,
    order: { grant: GrantId; purpose: KeyPurpose; blobs: readonly BlobId[] },
  ): Promise<{ blob: BlobId; kmsHalf: Uint8Array; kmsBlob: Uint8Array }[]>;
  /**
   * Charged for every name, those without an envelope too: the grant is counted down before it is known which have one, and
   * giving back what was not used would be a second write that a crash could multiply.
   * @throws BrokerProblem as `generate`, and `record_corrupt` with the place of the envelope that does not open
   */
  release(
    session: Session,
    vault: VaultId,
    order: { grant: GrantId; purpose: KeyPurpose; names: readonly EnvelopeName[] },
  ): Promise<{ keys: ReleasedKey[]; absent: EnvelopeName[] }>;
  /** Create-only. @throws BrokerProblem `already_exists` with the places of those that differ from what is there */
  write(vault: VaultId, envelopes: readonly { blob: BlobId; envelope: EnvelopeRecord }[]): Promise<void>;
}

export interface KeysDeps {
  readonly grants: Grants;
  readonly events: Pick<EventLog, 'append' | 'appendOnce' | 'head'>;
  readonly kms: VaultKms;
  readonly objects: VaultObjects;
  readonly usage: Usage;
}

/** Requests to S3 or KMS that one batch has under way. */
const PARALLEL = 16;

export function createKeys({ grants, events, kms, objects, usage }: KeysDeps): Keys {
  /** A session that wants more than a code has bought may be in a stranger's hands: its owner has to see it, once for each grant. */
  async function tellRefusal(
    session: Session,
    vault: VaultId,
    grant: GrantId,
    blobs: BlobId[],
  ): Promise<void> {
    const head = await events.head(session.account);
    const from = await grants.refusedFrom(session, grant, head ? head.seq + 1 : 0);
    if (from === undefined) return;
    const event = { kind: 'release-refused', device: session.device, vault, blobs, grant } as const;
    await events.appendOnce(session.account, event, from);
    await grants.noteRefusal(session, grant);
  }

  /** Nothing is asked of KMS before both are written, and no refusal is answered before its notice is. */
  async function charge(
    session: Session,
    vault: VaultId,
    grant: GrantId,
    use: 'generate' | 'release',
    blobs: BlobId[],
  ): Promise<void> {
    try {
      await grants.spend(session, grant, use, blobs.length);
    } catch (error) {
      const isSpent = error instanceof BrokerProblem && error.code === 'grant_spent';
      // Who wanted more new halves wanted nothing of anybody's.
      if (isSpent && use === 'release') await tellRefusal(session, vault, grant, blobs);
      throw error;
    }
    const kind = use === 'generate' ? 'generated' : 'released';
    await events.append(session.account, { kind, device: session.device, vault, blobs });
  }

  const readEnvelope = (vault: VaultId, { blob, epoch }: EnvelopeName) =>
    objects.read(vault, blobKeys.envelope(blob, epoch));

  /** The first of a batch: it is ciphertext that no grant is about, so it may be on its way while the grant is charged. */
  function readAhead(vault: VaultId, names: readonly EnvelopeName[]) {
    const ahead = names.slice(0, PARALLEL).map((name) => readEnvelope(vault, name));
    // Whoever comes to them hears of their failures; after a refusal nobody does.
    for (const reading of ahead) reading.catch(() => undefined);
    return ahead;
  }

  async function open(
    vault: VaultId,
    purpose: KeyPurpose,
    name: EnvelopeName,
    place: number,
    ahead: Promise<Uint8Array | undefined> | undefined,
  ): Promise<ReleasedKey | undefined> {
    const bytes = await (ahead ?? readEnvelope(vault, name));
    if (!bytes) return undefined;
    try {
      const envelope = parseEnvelope(bytes);
      const kmsBlob = Buffer.from(envelope.kmsBlob, 'base64url');
      const kmsHalf = await kms.decrypt(vault, kmsBlob, halfContext(purpose, vault, name.blob));
      return { ...name, envelope, kmsHalf };
    } catch (error) {
      if (!(error instanceof BrokerProblem && error.code === 'record_corrupt')) throw error;
      throw new BrokerProblem('record_corrupt', { fields: [`names.${String(place)}`], cause: error });
    }
  }

  /** What came by single PUTs is counted here: only now it belongs to something. */
  async function count(vault: VaultId, blobs: readonly BlobId[]): Promise<void> {
    const sizes = await mapBounded(blobs, PARALLEL, async (blob) => {
      const object = await objects.describe(vault, blobKeys.blob(blob));
      // A composite checksum (`base64-N`) is a multipart upload's, counted at its completion.
      return !object || object.sha256?.includes('-') ? 0 : object.sizeBytes;
    });
    await usage.add(
      vault,
      sizes.reduce((sum, size) => sum + size, 0),
    );
  }

  return {
    async generate(session, vault, { grant, purpose, blobs }) {
      await charge(session, vault, grant, 'generate', [...blobs]);
      return mapBounded(blobs, PARALLEL, async (blob) => ({
        blob,
        ...(await kms.generateDataKey(vault, halfContext(purpose, vault, blob))),
      }));
    },
    async release(session, vault, { grant, purpose, names }) {
      const blobs = names.map(({ blob }) => blob);
      const ahead = readAhead(vault, names);
      await charge(session, vault, grant, 'release', blobs);
      const opened = await mapBounded(names, PARALLEL, (name, place) =>
        open(vault, purpose, name, place, ahead[place]),
      );
      return {
        keys: opened.filter((key) => key !== undefined),
        absent: names.filter((_name, place) => opened[place] === undefined),
      };
    },
    async write(vault, envelopes) {
      const outcomes = await mapBounded(envelopes, PARALLEL, ({ blob, envelope }) =>
        objects.create(vault, blobKeys.envelope(blob, envelope.epoch), encodeEnvelope(envelope)),
      );
      const fields = outcomes.flatMap((outcome, place) =>
        outcome === 'exists' ? [`envelopes.${String(place)}`] : [],
      );
      if (fields.length > 0) throw new BrokerProblem('already_exists', { fields });
      await count(
        vault,
        envelopes.map(({ blob }) => blob),
      );
    },
  };
}

/** The envelope as it rests: JSON in the order of the schema, so that equal envelopes are equal bytes. */
export function encodeEnvelope(envelope: EnvelopeRecord): Uint8Array {
  return Buffer.from(JSON.stringify(v.parse(EnvelopeRecord, envelope)));
}

function parseEnvelope(bytes: Uint8Array): EnvelopeRecord {
  try {
    return v.parse(EnvelopeRecord, JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw new BrokerProblem('record_corrupt', { cause });
  }
}
