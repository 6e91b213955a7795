import type { EnvelopeRecord } from '$contract/envelope.ts';
import type { BlobId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { envelopesWrite, keysGenerate } from '$contract/vault.ts';
import { fromB64Url } from '../bytes.ts';
import { sealEnvelope } from '../crypto/envelope.ts';
import { HalfkeyError } from '../errors.ts';
import type { FoldedVault } from '../journal/folded-vault.ts';
import type { OpenVault } from '../worker/vault.ts';
import { persevere } from './backoff.ts';
import type { FileAdd } from './describe.ts';
import { toRecord } from './envelopes.ts';
import type { UploadedBlob } from './upload.ts';

/** An uploaded blob and the journal's operation that will name it. */
export interface Adoptable {
  readonly uploaded: UploadedBlob;
  readonly operation: FileAdd;
  readonly signal: AbortSignal;
}

interface Waiting extends Adoptable {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gives uploaded blobs their KMS half, their envelope and their journal entry, in that order, so that every entry is readable
 * whenever a crash comes. What arrives while a batch is under way makes the next one: many small files cost few requests.
 */
export class Adopter {
  readonly #vault: () => OpenVault;
  /** Made, perhaps written, but not in the journal yet: envelopes are create-only, so a second try needs the same bytes. */
  readonly #envelopes = new Map<BlobId, EnvelopeRecord>();
  #waiting: Waiting[] = [];
  #busy = false;

  constructor(vault: () => OpenVault) {
    this.#vault = vault;
  }

  /** Resolves when the journal has the entry. @throws {HalfkeyError} `locked` and others without a grant: try again after a code */
  adopt(adoptable: Adoptable): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...adoptable, resolve, reject });
      if (!this.#busy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#busy = true;
    await Promise.resolve(); // What comes in the same turn goes together.
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      try {
        if (batch.length > 0) await this.#adoptBatch(batch);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#busy = false;
  }

  /** What was cancelled before its turn came is not in the journal, and must not pass for done. */
  #nextBatch(): Waiting[] {
    const next = this.#waiting.splice(0, LIMITS.batch);
    for (const { signal, reject } of next) if (signal.aborted) reject(signal.reason);
    return next.filter(({ signal }) => !signal.aborted);
  }

  async #adoptBatch(batch: readonly Adoptable[]): Promise<void> {
    const { broker, vault, epoch, vaultKey, journal, requireGrant, releasesPerCode } = this.#vault();
    // Cancelling one file must not take the others of its batch along: the batch has no signal.
    const patience = new AbortController().signal;
    const bare = batch.map(({ uploaded }) => uploaded).filter(({ blob }) => !this.#envelopes.has(blob));
    // A code may buy fewer releases than there are files: what it made stays made, and the next one goes on.
    const perRequest = releasesPerCode();
    for (let from = 0; from < bare.length; from += perRequest) {
      const some = bare.slice(from, from + perRequest);
      const blobs = some.map(({ blob }) => blob);
      const request = () =>
        broker.call(keysGenerate, { grant: requireGrant(), purpose: 'file', blobs }, { vault });
      const { keys } = await persevere(request, patience);
      const made = new Map(keys.map((key) => [key.blob, key]));
      for (const { blob, contentKey } of some) {
        const key = made.get(blob);
        if (!key) throw new HalfkeyError('broker_unreachable', 'the broker made no key for a blob');
        const [kmsHalf, kmsBlob] = [fromB64Url(key.kmsHalf), fromB64Url(key.kmsBlob)];
        const binding = { purpose: 'file', vault, blob, epoch } as const;
        const envelope = await sealEnvelope({ ...binding, contentKey, kmsHalf, kmsBlob, vaultKey });
        kmsHalf.fill(0);
        this.#envelopes.set(blob, toRecord(envelope));
      }
    }
    const envelopes = batch.flatMap(({ uploaded: { blob } }) => {
      const envelope = this.#envelopes.get(blob);
      return envelope ? [{ blob, envelope }] : [];
    });
    await persevere(() => broker.call(envelopesWrite, { envelopes }, { vault }), patience);
    // A lost reply may have left the entries there: what is named already is not named again.
    const missing = (state: FoldedVault) =>
      batch.map(({ operation }) => operation).filter(({ file }) => state.entry(file) === undefined);
    await persevere(() => journal.append(missing), patience);
    for (const { uploaded } of batch) {
      uploaded.contentKey.fill(0);
      this.#envelopes.delete(uploaded.blob);
    }
  }
}
