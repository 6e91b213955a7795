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
import { releaseKeys } from '../../vault/release.ts';
import { wipeAtEnd } from '../../crypto/wipe.ts';

type Refusals = ReadonlyMap<CapturedFile, HalfkeyError>;

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
  readonly #envelopes = new Map<BlobId, { readonly envelope: EnvelopeRecord; readonly proof: string }>();
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
   *   envelope already, and of another key; `purged`, `upload_lost`, `key_absent`
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
      const error = refused.get(file);
      return error ? { kind: 'failed', error } : { kind: 'done', result: undefined };
    });
  }

  /** @returns why those are not in the drive that something is wrong with; the others are */
  async #adoptBatch(batch: readonly CapturedFile[]): Promise<Refusals> {
    const { journal } = this.#vault();
    // Whatever has an entry has an envelope. The broker would make a second half for it, and KMS is not asked in vain.
    const missing = batch.filter((file) => operationsToAdopt(journal.state, [file]).length > 0);
    if (missing.length === 0) return new Map();
    await this.#makeEnvelopes(missing);
    const refused = await this.#writeEnvelopes(missing);
    const readable = missing.filter((file) => !refused.has(file));
    // Cancelling one file must not take the others of its batch along: the batch has no signal.
    const patience = new AbortController().signal;
    await retry(() => journal.append((state) => operationsToAdopt(state, readable)), patience);
    for (const { version } of missing) this.#envelopes.delete(version.blob as BlobId);
    return refused;
  }

  /** One for which the broker makes no half is left without. */
  async #makeEnvelopes(files: readonly CapturedFile[]): Promise<void> {
    const { broker, vault, epoch, vaultKey, requireGrant } = this.#vault();
    const bare = files.filter(({ version }) => !this.#envelopes.has(version.blob as BlobId));
    if (bare.length === 0) return;
    const blobs = bare.map(({ version }) => version.blob as BlobId);
    const { keys } = await retry(
      () => broker.call(keysGenerate, { grant: requireGrant(), purpose: 'file', epoch, blobs }, { vault }),
      new AbortController().signal,
    );
    const made = new Map(keys.map((key) => [key.blob, key]));
    for (const { version, contentKey } of bare) {
      const blob = version.blob as BlobId;
      const key = made.get(blob);
      if (!key) continue;
      const [kmsHalf, kmsBlob] = [fromB64Url(key.kmsHalf), fromB64Url(key.kmsBlob)];
      using _kmsHalf = wipeAtEnd(kmsHalf);
      const binding = { purpose: 'file', vault, blob, epoch: version.epoch } as const;
      const envelope = await sealEnvelope({ ...binding, contentKey, kmsHalf, kmsBlob, vaultKey });
      this.#envelopes.set(blob, { envelope: toRecord(envelope), proof: key.proof });
    }
  }

  /** @returns why there is no envelope of the very key for some of them */
  async #writeEnvelopes(files: readonly CapturedFile[]): Promise<Refusals> {
    const { broker, vault } = this.#vault();
    const refused = new Map<CapturedFile, HalfkeyError>();
    const envelopes = files.flatMap((file) => {
      const blob = file.version.blob as BlobId;
      const made = this.#envelopes.get(blob);
      if (made) return [{ blob, ...made }];
      refused.set(file, new HalfkeyError('key_absent', 'the broker made no key for a blob'));
      return [];
    });
    if (envelopes.length === 0) return refused;
    const answer = await retry(
      () => broker.call(envelopesWrite, { envelopes }, { vault }),
      new AbortController().signal,
    );
    const codes = new Map(answer.refused.map(({ blob, code }) => [blob as string, code]));
    const taken = files.filter(({ version }) => codes.get(version.blob) === 'already_exists');
    for (const file of files) {
      const code = codes.get(file.version.blob);
      if (code === undefined || code === 'already_exists') continue;
      refused.set(file, new HalfkeyError(code, 'the broker takes no envelope for this blob'));
      this.#envelopes.delete(file.version.blob as BlobId); // Too late with this one: the next try makes another.
    }
    for (const [file, error] of await this.#othersOf(taken)) refused.set(file, error);
    return refused;
  }

  /** Another device, or this one before it crashed, was faster. Its envelope is as good, if it holds the same key. */
  async #othersOf(files: readonly CapturedFile[]): Promise<Refusals> {
    const refused = new Map<CapturedFile, HalfkeyError>();
    if (files.length === 0) return refused;
    const blobs = files.map(({ version }) => ({ blob: version.blob as BlobId, epoch: version.epoch }));
    const release = () => releaseKeys(this.#vault(), 'file', blobs);
    const keys = await retry(release, new AbortController().signal);
    using _keys = wipeAtEnd(...[...keys.values()].filter((key) => key instanceof Uint8Array));
    for (const file of files) {
      const stored = keys.get(file.version.blob);
      if (stored instanceof Uint8Array && equalBytes(stored, file.contentKey)) continue;
      const cause = stored instanceof HalfkeyError ? { cause: stored } : {};
      refused.set(file, new HalfkeyError('envelope_corrupt', 'the blob has another envelope', cause));
    }
    return refused;
  }
}
