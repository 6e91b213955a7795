import type { EnvelopeRecord } from '$contract/envelope.ts';
import type { BlobId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { keysGenerate } from '$contract/vault-keys.ts';
import { equalBytes, fromB64Url, type Bytes } from '../../bytes.ts';
import { Batcher, type Outcome } from '../../concurrency/batcher.ts';
import { sealEnvelope } from '../../crypto/envelope.ts';
import { HalfkeyError } from '../../errors.ts';
import type { CapturedFile } from '../../inbox/record.ts';
import { operationsToAdopt } from '../../journal/adoption.ts';
import type { SendAlong } from '../../journal/append.ts';
import type { OpenVault } from '../../vault/open-vault.ts';
import { retry } from '../../remote/retry.ts';
import { toRecord } from '../../vault/envelope-record.ts';
import { releaseKeys } from '../../vault/release.ts';
import type { FoldersFirst } from './folders-first.ts';
import { wipeAtEnd } from '../../crypto/wipe.ts';
import { EnvelopesAlong, type NewEnvelope, type RefusedEnvelope } from './envelopes-along.ts';

/** A blob, the epoch of the vault key that its envelope is to be under, and what the envelope is to hold. */
interface KeyedBlob {
  readonly vault: string;
  readonly blob: BlobId;
  readonly epoch: number;
  readonly contentKey: Bytes;
}

interface MadeEnvelope {
  readonly envelope: EnvelopeRecord;
  readonly proof: string;
  /** By `performance.now()`. */
  readonly madeAtMs: number;
  /** It was sent to be written: whether it was may never have been answered. */
  writtenOnce: boolean;
}

/** The broker takes an envelope LIMITS.envelopeSeconds after its half was made; this leaves time to send it. */
const FRESH_MS = (LIMITS.envelopeSeconds - 120) * 1000;

type Refusals = ReadonlyMap<CapturedFile, HalfkeyError>;

interface Adoption {
  readonly file: CapturedFile;
  readonly signal: AbortSignal;
}

/**
 * Gives uploaded blobs their KMS half, their envelope and their journal entry, in that order, so that every entry is
 * readable whenever a crash comes. What arrives while a batch is under way makes the next one: many small files cost
 * few requests.
 */
export class Adopter {
  readonly #vault: () => OpenVault;
  readonly #folders: Pick<FoldersFirst, 'ensure'> | undefined;
  /**
   * Made, perhaps written, but not in the journal yet: envelopes are create-only, so a second try needs the same bytes.
   */
  readonly #envelopes = new Map<BlobId, MadeEnvelope>();
  /** Envelopes that are being made, or could not be made, ahead. */
  readonly #ahead = new Map<BlobId, Promise<unknown>>();
  /** Blobs that are being adopted. */
  readonly #under = new Set<string>();
  readonly #batcher: Batcher<Adoption, void>;
  readonly #maker: Batcher<KeyedBlob, void>;

  /**
   * @param isMoreComing whether more is about to be sent, and prepared with that, or adopted
   * @param folders has them written into the journal before it names them; absent where all of them are there
   */
  constructor(
    vault: () => OpenVault,
    isMoreComing?: (where: 'send' | 'adopt') => boolean,
    folders?: Pick<FoldersFirst, 'ensure'>,
  ) {
    this.#vault = vault;
    this.#folders = folders;
    const limit = LIMITS.batch;
    this.#batcher = new Batcher({
      limit,
      isMoreComing: isMoreComing && (() => isMoreComing('adopt')),
      serve: (batch) => this.#serve(batch),
    });
    this.#maker = new Batcher({
      limit,
      isMoreComing: isMoreComing && (() => isMoreComing('send')),
      serve: (batch) => this.#make(batch),
    });
  }

  /**
   * Has the envelope of a blob that is on its way made meanwhile, under the live grant. Never fails: what could not be
   * made ahead is made when the blob is adopted.
   * @param keyed.contentKey is copied
   */
  prepare(keyed: Omit<KeyedBlob, 'vault'>): void {
    const { blob } = keyed;
    const { vault } = this.#vault();
    if (this.#envelopes.has(blob) || this.#ahead.has(blob)) return;
    const contentKey = keyed.contentKey.slice(); // A lock in the middle wipes the other one.
    const making = this.#maker
      .ask({ ...keyed, vault, contentKey })
      .catch(() => undefined)
      .finally(() => {
        contentKey.fill(0);
        this.#ahead.delete(blob);
      });
    this.#ahead.set(blob, making);
  }

  /**
   * Resolves when the journal has the entry, or is known to have had it. The content key is still the caller's.
   * @throws {HalfkeyError} `locked` and others without a grant: try again after a code; `envelope_corrupt` when the
   *   blob has an envelope already, and of another key; `purged`, `upload_lost`, `key_absent`
   */
  async adopt(file: CapturedFile, signal: AbortSignal): Promise<void> {
    const { blob } = file.version;
    this.#under.add(blob);
    try {
      await this.#batcher.ask({ file, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      this.#under.delete(blob);
    }
  }

  /** Whether somebody is seeing to this blob already. */
  isAdopting(blob: BlobId): boolean {
    return this.#under.has(blob);
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
    const folders = missing.map(({ folder }) => folder);
    await retry(async () => this.#folders?.ensure(folders), new AbortController().signal);
    await Promise.all(missing.flatMap(({ version }) => this.#ahead.get(version.blob as BlobId) ?? []));
    const bare = missing.filter(({ version }) => !this.#hasFresh(version.blob as BlobId));
    const { vault } = this.#vault();
    await this.#makeEnvelopes(
      bare.map(({ version, contentKey }) => ({
        ...{ vault, blob: version.blob as BlobId, epoch: version.epoch, contentKey },
      })),
    );
    const refused = new Map<CapturedFile, HalfkeyError>();
    for (const file of missing) {
      if (this.#envelopes.has(file.version.blob as BlobId)) continue;
      refused.set(file, new HalfkeyError('key_absent', 'the broker made no key for a blob'));
    }
    const append = async (along?: SendAlong) => {
      const readable = missing.filter((file) => !refused.has(file));
      // Cancelling one file must not take the others of its batch along: the batch has no signal.
      const patience = new AbortController().signal;
      await retry(() => journal.append((state) => operationsToAdopt(state, readable), along), patience);
    };
    const envelopes = new EnvelopesAlong(this.#vault(), this.#unwritten(missing));
    try {
      await append((segment) => envelopes.send(segment));
    } catch (error) {
      if (envelopes.refused.length === 0) throw error;
      for (const [file, why] of await this.#refusals(missing, envelopes.refused)) refused.set(file, why);
      await append();
    }
    for (const { version } of missing) this.#envelopes.delete(version.blob as BlobId);
    return refused;
  }

  /** One that was made ahead, and waited for too long, is made anew: the broker would not take it. */
  #hasFresh(blob: BlobId): boolean {
    const made = this.#envelopes.get(blob);
    if (!made || made.writtenOnce || performance.now() - made.madeAtMs < FRESH_MS) return made !== undefined;
    this.#envelopes.delete(blob);
    return false;
  }

  async #make(batch: readonly KeyedBlob[]): Promise<Outcome<void>[]> {
    // Somebody else may have signed in meanwhile.
    const { vault } = this.#vault();
    await this.#makeEnvelopes(batch.filter((each) => each.vault === vault));
    return batch.map(() => ({ kind: 'done', result: undefined }));
  }

  /** One for which the broker makes no half is left without. */
  async #makeEnvelopes(bare: readonly KeyedBlob[]): Promise<void> {
    if (bare.length === 0) return;
    const { broker, vault, epoch, vaultKey, requireGrant } = this.#vault();
    const blobs = bare.map(({ blob }) => blob);
    const { keys } = await retry(
      () => broker.call(keysGenerate, { grant: requireGrant(), purpose: 'file', epoch, blobs }, { vault }),
      new AbortController().signal,
    );
    const made = new Map(keys.map((key) => [key.blob, key]));
    for (const { blob, epoch: of, contentKey } of bare) {
      const key = made.get(blob);
      if (!key) continue;
      const [kmsHalf, kmsBlob] = [fromB64Url(key.kmsHalf), fromB64Url(key.kmsBlob)];
      using _kmsHalf = wipeAtEnd(kmsHalf);
      const binding = { purpose: 'file', vault, blob, epoch: of } as const;
      const envelope = await sealEnvelope({ ...binding, contentKey, kmsHalf, kmsBlob, vaultKey });
      const madeAtMs = performance.now();
      this.#envelopes.set(blob, {
        envelope: toRecord(envelope),
        proof: key.proof,
        madeAtMs,
        writtenOnce: false,
      });
    }
  }

  /** The envelopes of these that are to be sent: perhaps they stand from now on, and then no other can. */
  #unwritten(files: readonly CapturedFile[]): NewEnvelope[] {
    return files.flatMap(({ version }) => {
      const blob = version.blob as BlobId;
      const made = this.#envelopes.get(blob);
      if (!made) return [];
      made.writtenOnce = true;
      return [{ blob, envelope: made.envelope, proof: made.proof }];
    });
  }

  /** @returns why there is no envelope of the very key for some of them */
  async #refusals(files: readonly CapturedFile[], answered: readonly RefusedEnvelope[]): Promise<Refusals> {
    const codes = new Map(answered.map(({ blob, code }) => [blob as string, code]));
    const taken = files.filter(({ version }) => codes.get(version.blob) === 'already_exists');
    const refused = new Map(await this.#othersOf(taken));
    for (const file of files) {
      const code = codes.get(file.version.blob);
      if (code === undefined || code === 'already_exists') continue;
      refused.set(file, new HalfkeyError(code, 'the broker takes no envelope for this blob'));
      this.#envelopes.delete(file.version.blob as BlobId); // Too late with this one: the next try makes another.
    }
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
