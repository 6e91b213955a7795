import * as v from 'valibot';
import { type EnvelopeName, EnvelopeRecord, type KeyPurpose } from '../../contract/envelope.ts';
import type { BlobId, GrantId, VaultId } from '../../contract/ids.ts';
import type { VaultKms } from '../../ports/kms.ts';
import type { Clock } from '../../ports/clock.ts';
import type { VaultObjects } from '../../ports/vaults.ts';
import { blobKeys, halfContext } from './blob-keys.ts';
import { mapBounded } from '../bounded.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { EnvelopeProofs } from './envelope-proofs.ts';
import type { EventLog } from '../state/event-log.ts';
import type { Grants } from '../auth/grants.ts';
import { BrokerProblem } from '../problem.ts';
import type { Session } from '../account/session.ts';
import { hasRecord } from './inbox.ts';
import { isNearlySwept } from './orphan-age.ts';
import type { Room } from './room.ts';

/**
 * An envelope that is to be written, and what allows it: `proof` as it was given out with the half, else a live grant.
 */
interface NewEnvelope {
  readonly blob: BlobId;
  readonly envelope: EnvelopeRecord;
  readonly proof?: string | undefined;
}

/** What is known of a batch before it is written. */
export interface WriteLook {
  readonly purged: Promise<ReadonlySet<BlobId>>;
  /** Of each in its order; undefined where it is absent, or not asked for. */
  readonly blobs: readonly ReturnType<VaultObjects['describe']>[];
}

type WriteRefusal = 'grant_missing' | 'purged' | 'upload_lost' | 'already_exists';

interface ReleasedKey {
  readonly blob: BlobId;
  readonly epoch: number;
  readonly envelope: EnvelopeRecord;
  /** 32 bytes. */
  readonly kmsHalf: Uint8Array;
}

export interface Released {
  readonly keys: ReleasedKey[];
  readonly absent: EnvelopeName[];
  readonly refused: (EnvelopeName & { code: 'purged' | 'record_corrupt' })[];
}

/** KMS halves against a grant, and the envelopes that hold their KMS blobs. */
export interface Keys {
  /** @throws BrokerProblem `grant_missing`, `grant_spent`, and of KMS `kms_unreachable`, `kms_key_unusable` */
  generate(
    session: Session,
    vault: VaultId,
    order: { grant: GrantId; purpose: KeyPurpose; epoch: number; blobs: readonly BlobId[] },
  ): Promise<{ blob: BlobId; kmsHalf: Uint8Array; kmsBlob: Uint8Array; proof: string }[]>;
  /**
   * Charged for every name, those without an envelope too: the grant is counted down before it is known which have one,
   * and giving back what was not used would be a second write that a crash could multiply. What is deleted for good, or
   * does not open, is refused by itself.
   * @param logged the event that comes before this one, if that is still on its way
   * @throws BrokerProblem as `generate`
   */
  release(
    session: Session,
    vault: VaultId,
    order: { grant: GrantId; purpose: KeyPurpose; names: readonly EnvelopeName[] },
    logged?: Promise<unknown>,
  ): Promise<Released>;
  /**
   * Begins to look what is to be there, and what is deleted, for envelopes that are about to be written: nobody is told
   * of it before the one who asks was admitted.
   */
  lookBeforeWriting(vault: VaultId, envelopes: readonly NewEnvelope[]): WriteLook;
  /**
   * Create-only, each by itself.
   * @returns those that were refused
   * @param order.grant for those that have no proof
   * @param look what was found of these, if that was looked for already
   * @throws BrokerProblem `grant_missing` when the grant is not live
   */
  write(
    session: Session,
    vault: VaultId,
    order: { grant?: GrantId | undefined; envelopes: readonly NewEnvelope[] },
    look?: WriteLook,
  ): Promise<(EnvelopeName & { code: WriteRefusal })[]>;
}

export interface KeysDeps {
  readonly grants: Grants;
  readonly events: Pick<EventLog, 'append' | 'appendOnce' | 'head'>;
  readonly kms: VaultKms;
  readonly objects: VaultObjects;
  readonly room: Pick<Room, 'take' | 'settle'>;
  readonly proofs: EnvelopeProofs;
  readonly clock: Clock;
}

/** Requests to S3 or KMS that one batch has under way. */
const PARALLEL = 16;
/**
 * Halves made at a time: a batch is two waits then, and no more than a tenth of what KMS does in a second for anybody.
 */
const MADE_AT_ONCE = 50;
/** Envelopes looked for and written at a time: S3 takes more of them than KMS does. */
const WRITTEN_AT_ONCE = LIMITS.batch;
/** A listing's page. */
const LISTED = 1000;
/** Envelopes of one blob that are looked through for a KMS blob: there is one for each epoch. */
const STANDING = 16;

export function createKeys({ grants, events, kms, objects, room, proofs, clock }: KeysDeps): Keys {
  /**
   * A session that wants more than a code has bought may be in a stranger's hands: its owner has to see it, once for
   * each grant.
   */
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
    logged?: Promise<unknown>,
  ): Promise<void> {
    try {
      await grants.spend(session, grant, use, blobs.length);
    } catch (error) {
      const isSpent = error instanceof BrokerProblem && error.code === 'grant_spent';
      // Who wanted more new halves wanted nothing of anybody's.
      if (isSpent && use === 'release') await tellRefusal(session, vault, grant, blobs);
      throw error;
    }
    await logged;
    const kind = use === 'generate' ? 'generated' : 'released';
    await events.append(session.account, { kind, device: session.device, vault, blobs });
  }

  /** One that was deleted for good is not found out from what is missing: anyone who can write puts that back. */
  async function isPurged(vault: VaultId, blob: BlobId): Promise<boolean> {
    const key = blobKeys.purged(blob);
    const { objects: found } = await objects.list(vault, key, '', 1);
    return found.some((object) => object.key === key);
  }

  /** Of a batch, by one listing where few were ever deleted for good in this vault. */
  async function purgedAmong(vault: VaultId, blobs: readonly BlobId[]): Promise<ReadonlySet<BlobId>> {
    if (blobs.length > 1) {
      const { objects: marks, more } = await objects.list(vault, blobKeys.purgedMarks, '', LISTED);
      const found = new Set(marks.map(({ key }) => key));
      if (!more) return new Set(blobs.filter((blob) => found.has(blobKeys.purged(blob))));
    }
    const purged = await mapBounded(blobs, PARALLEL, (blob) => isPurged(vault, blob));
    return new Set(blobs.filter((_blob, place) => purged[place]));
  }

  /** @returns undefined where there is none */
  async function lookUp(vault: VaultId, { blob, epoch }: EnvelopeName) {
    const bytes = await objects.read(vault, blobKeys.envelope(blob, epoch));
    // In this order: a purge is noted before anything is erased, so what was read before it may still be released.
    return bytes && { bytes, purged: await isPurged(vault, blob) };
  }

  /**
   * The first of a batch: it is ciphertext that no grant is about, so it may be on its way while the grant is charged.
   */
  function lookAhead(vault: VaultId, names: readonly EnvelopeName[]) {
    const ahead = names.slice(0, PARALLEL).map((name) => lookUp(vault, name));
    // Anyone who comes to them hears of their failures; after a refusal nobody does.
    for (const reading of ahead) reading.catch(() => undefined);
    return ahead;
  }

  /** @returns why it is refused for itself, or undefined where there is none */
  async function open(
    vault: VaultId,
    purpose: KeyPurpose,
    name: EnvelopeName,
    ahead: ReturnType<typeof lookUp> | undefined,
  ): Promise<ReleasedKey | 'purged' | 'record_corrupt' | undefined> {
    const found = await (ahead ?? lookUp(vault, name));
    if (!found) return undefined;
    if (found.purged) return 'purged';
    try {
      const envelope = parseEnvelope(found.bytes);
      const kmsBlob = Buffer.from(envelope.kmsBlob, 'base64url');
      const kmsHalf = await kms.decrypt(vault, kmsBlob, halfContext(purpose, vault, name.blob));
      return { ...name, envelope, kmsHalf };
    } catch (error) {
      if (error instanceof BrokerProblem && error.code === 'record_corrupt') return error.code;
      throw error;
    }
  }

  /** Whether an envelope with this KMS blob stands for the blob, in whichever epoch. */
  async function stands(vault: VaultId, blob: BlobId, kmsBlob: string): Promise<boolean> {
    const listed = await objects.list(vault, blobKeys.envelopes(blob), '', STANDING);
    const found = await mapBounded(listed.objects, PARALLEL, ({ key }) => objects.read(vault, key));
    return found.some((bytes) => bytes !== undefined && kmsBlobOf(bytes) === kmsBlob);
  }

  async function mayBeWritten(
    vault: VaultId,
    { blob, envelope, proof }: NewEnvelope,
    hasGrant: boolean,
  ): Promise<boolean> {
    const { purpose, epoch } = envelope;
    const kmsBlob = Buffer.from(envelope.kmsBlob, 'base64url');
    if (proof !== undefined) return proofs.holds({ vault, blob, epoch, purpose, kmsBlob }, proof);
    return hasGrant && stands(vault, blob, envelope.kmsBlob);
  }

  function lookBeforeWriting(vault: VaultId, envelopes: readonly NewEnvelope[]): WriteLook {
    const purged = purgedAmong(
      vault,
      envelopes.map(({ blob }) => blob),
    );
    const blobs = envelopes.map(({ blob, envelope }) =>
      envelope.purpose === 'file' ? objects.describe(vault, blobKeys.blob(blob)) : Promise.resolve(undefined),
    );
    // Whoever writes meets their failures; whoever is refused before meets none.
    for (const looking of [purged, ...blobs]) looking.catch(() => undefined);
    return { purged, blobs };
  }

  async function writeOne(
    vault: VaultId,
    item: NewEnvelope,
    hasGrant: boolean,
    look: { purged: WriteLook['purged']; blob: WriteLook['blobs'][number] | undefined },
  ): Promise<WriteRefusal | { blobBytes: number | undefined }> {
    const { blob, envelope } = item;
    const [allowed, purged, object] = await Promise.all([
      mayBeWritten(vault, item, hasGrant),
      look.purged,
      look.blob,
    ]);
    if (!allowed) return 'grant_missing';
    if (purged.has(blob)) return 'purged';
    if (envelope.purpose === 'file' && (!object || (await isTooOld(vault, blob, object))))
      return 'upload_lost';
    const bytes = encodeEnvelope(envelope);
    await room.take(vault, bytes.length, 'journal');
    const key = blobKeys.envelope(blob, envelope.epoch);
    if ((await objects.create(vault, key, bytes)) === 'exists') return 'already_exists';
    return { blobBytes: object?.sizeBytes };
  }

  /**
   * What no record in the inbox has kept may be swept at any moment. An envelope that stands keeps it too, and is none
   * that is new.
   */
  async function isTooOld(
    vault: VaultId,
    blob: BlobId,
    { modifiedMs }: { modifiedMs: number },
  ): Promise<boolean> {
    if (!isNearlySwept(modifiedMs, clock())) return false;
    const { objects: standing } = await objects.list(vault, blobKeys.envelopes(blob), '', 1);
    return standing.length === 0 && !(await hasRecord(objects, vault, blob));
  }

  return {
    async generate(session, vault, { grant, purpose, epoch, blobs }) {
      await charge(session, vault, grant, 'generate', [...blobs]);
      return mapBounded(blobs, MADE_AT_ONCE, async (blob) => {
        const made = await kms.generateDataKey(vault, halfContext(purpose, vault, blob));
        const proof = proofs.issue({ vault, blob, epoch, purpose, kmsBlob: made.kmsBlob });
        return { blob, ...made, proof };
      });
    },
    async release(session, vault, { grant, purpose, names }, logged) {
      const blobs = names.map(({ blob }) => blob);
      const ahead = lookAhead(vault, names);
      await charge(session, vault, grant, 'release', blobs, logged);
      const opened = await mapBounded(names, PARALLEL, (name, place) =>
        open(vault, purpose, name, ahead[place]),
      );
      return {
        keys: opened.filter((key) => typeof key === 'object'),
        absent: names.filter((_name, place) => opened[place] === undefined),
        refused: names.flatMap((name, place) => {
          const code = opened[place];
          return typeof code === 'string' ? [{ ...name, code }] : [];
        }),
      };
    },
    lookBeforeWriting,
    async write(session, vault, { grant, envelopes }, look) {
      if (grant !== undefined) await grants.require(session, grant, 'release');
      const { purged, blobs } = look ?? lookBeforeWriting(vault, envelopes);
      const outcomes = await mapBounded(envelopes, WRITTEN_AT_ONCE, (item, place) =>
        writeOne(vault, item, grant !== undefined, { purged, blob: blobs[place] }),
      );
      // Only now what came by one PUT belongs to something; uploads in parts are known since their completion.
      await room.settle(
        vault,
        envelopes.flatMap(({ blob }, place) => {
          const outcome = outcomes[place];
          const bytes = typeof outcome === 'object' ? outcome.blobBytes : undefined;
          return bytes === undefined ? [] : [{ id: blob, bytes }];
        }),
      );
      return envelopes.flatMap(({ blob, envelope: { epoch } }, place) => {
        const code = outcomes[place];
        return typeof code === 'string' ? [{ blob, epoch, code }] : [];
      });
    },
  };
}

/** The envelope as it is stored: JSON in the order of the schema, so that equal envelopes are equal bytes. */
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

/** Of an envelope as it is stored, base64url; undefined for what is not one. */
function kmsBlobOf(bytes: Uint8Array): string | undefined {
  try {
    return parseEnvelope(bytes).kmsBlob;
  } catch {
    return undefined;
  }
}
