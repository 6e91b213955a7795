import type { EnvelopeRecord } from '$contract/envelope.ts';
import type { BlobId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { envelopesWrite, keysGenerate } from '$contract/vault-keys.ts';
import { equalBytes, fromB64Url } from '../../bytes.ts';
import { Batcher, type Outcome } from '../../concurrency/batcher.ts';
import { sealEnvelope } from '../../crypto/envelope.ts';
import { HalfkeyError } from '../../errors.ts';
import type { CapturedFile } from '../../inbox/record.ts';
import { operationsToAdopt } from '../../journal/adoption.ts';
import type { OpenVault } from '../../vault/open-vault.ts';
import { retry } from '../../remote/retry.ts';
import { toRecord } from '../../vault/envelope-record.ts';
import { placesAtFault } from './inbox-writer.ts';
import { releaseKeys } from '../../vault/release.ts';
import { wipeAtEnd } from '../../crypto/wipe.ts';

interface Adoption {
  readonly file: CapturedFile;
  readonly signal: AbortSignal;
}

/**
 * Gives uploaded blobs their KMS half, their envelope and their journal entry, in that order, so that every entry is readable
 * whenever a crash comes. What arrives while a batch is under way makes the next one: many small files cost few requests.
 */
export class Adopter {
  readonly #vault: () => OpenVault;
  /** Made, perhaps written, but not in the journal yet: envelopes are create-only, so a second try needs the same bytes. */
  readonly #envelopes = new Map<BlobId, EnvelopeRecord>();
  readonly #batcher = new Batcher<Adoption, void>({
    limit: LIMITS.batch,
    serve: (batch) => this.#serve(batch),
  });

  constructor(vault: () => OpenVault) {
    this.#vault = vault;
  }

  /**
   * Resolves when the journal has the entry, or is known to have had it. The content key is still the caller's.
   * @throws {HalfkeyError} `locked` and others without a grant: try again after a code; `envelope_corrupt` when the blob has an
   *   envelope already, and of another key
   */
  async adopt(file: CapturedFile, signal: AbortSignal): Promise<void> {
    try {
      await this.#batcher.ask({ file, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  async #serve(batch: readonly Adoption[]): Promise<Outcome<void>[]> {
    // What was cancelled before its turn came is not in the journal, and must not pass for done.
    const cancelled = new Set(batch.filter(({ signal }) => signal.aborted));
    const refused = await this.#adoptBatch(
      batch.filter((each) => !cancelled.has(each)).map(({ file }) => file),
    );
    return batch.map((each) => {
      const { file, signal } = each;
      if (cancelled.has(each)) return { kind: 'failed', error: signal.reason as unknown };
      if (!refused.has(file)) return { kind: 'done', result: undefined };
      return { kind: 'failed', error: new HalfkeyError('envelope_corrupt', 'the blob has another envelope') };
    });
  }

  /** @returns those whose blob has an envelope of another key: the others are in the drive */
  async #adoptBatch(batch: readonly CapturedFile[]): Promise<ReadonlySet<CapturedFile>> {
    const { journal } = this.#vault();
    // Whatever has an entry has an envelope. The broker would make a second half for it, and KMS is not asked in vain.
    const missing = batch.filter((file) => operationsToAdopt(journal.state, [file]).length > 0);
    if (missing.length === 0) return new Set();
    await this.#makeEnvelopes(missing);
    const refused = await this.#writeEnvelopes(missing);
    const readable = missing.filter((file) => !refused.has(file));
    // Cancelling one file must not take the others of its batch along: the batch has no signal.
    const patience = new AbortController().signal;
    await retry(() => journal.append((state) => operationsToAdopt(state, readable)), patience);
    for (const { version } of missing) this.#envelopes.delete(version.blob as BlobId);
    return refused;
  }

  async #makeEnvelopes(files: readonly CapturedFile[]): Promise<void> {
    const { broker, vault, vaultKey, requireGrant } = this.#vault();
    const bare = files.filter(({ version }) => !this.#envelopes.has(version.blob as BlobId));
    if (bare.length === 0) return;
    const blobs = bare.map(({ version }) => version.blob as BlobId);
    const { keys } = await retry(
      () => broker.call(keysGenerate, { grant: requireGrant(), purpose: 'file', blobs }, { vault }),
      new AbortController().signal,
    );
    const made = new Map(keys.map((key) => [key.blob, key]));
    for (const { version, contentKey } of bare) {
      const blob = version.blob as BlobId;
      const key = made.get(blob);
      if (!key) throw new HalfkeyError('broker_unreachable', 'the broker made no key for a blob');
      const [kmsHalf, kmsBlob] = [fromB64Url(key.kmsHalf), fromB64Url(key.kmsBlob)];
      using _kmsHalf = wipeAtEnd(kmsHalf);
      const binding = { purpose: 'file', vault, blob, epoch: version.epoch } as const;
      const envelope = await sealEnvelope({ ...binding, contentKey, kmsHalf, kmsBlob, vaultKey });
      this.#envelopes.set(blob, toRecord(envelope));
    }
  }

  /** @returns those whose blob has an envelope of another key */
  async #writeEnvelopes(files: readonly CapturedFile[]): Promise<ReadonlySet<CapturedFile>> {
    const { broker, vault } = this.#vault();
    const envelopes = files.flatMap(({ version }) => {
      const blob = version.blob as BlobId;
      const envelope = this.#envelopes.get(blob);
      return envelope ? [{ blob, envelope }] : [];
    });
    try {
      await retry(() => broker.call(envelopesWrite, { envelopes }, { vault }), new AbortController().signal);
      return new Set();
    } catch (error) {
      if (!(error instanceof HalfkeyError) || error.code !== 'already_exists') throw error;
      const places = placesAtFault(error);
      return this.#othersOf(files.filter((_, index) => places === undefined || places.has(index)));
    }
  }

  /** Another device, or this one before it crashed, was faster. Its envelope is as good, if it holds the same key. */
  async #othersOf(files: readonly CapturedFile[]): Promise<ReadonlySet<CapturedFile>> {
    const blobs = files.map(({ version }) => ({ blob: version.blob as BlobId, epoch: version.epoch }));
    const release = () => releaseKeys(this.#vault(), 'file', blobs);
    const keys = await retry(release, new AbortController().signal);
    using _keys = wipeAtEnd(...keys.values());
    const isOther = ({ version, contentKey }: CapturedFile) => {
      const stored = keys.get(version.blob);
      return !stored || !equalBytes(stored, contentKey);
    };
    return new Set(files.filter(isOther));
  }
}
