import { equalBytes, u32be, type Bytes } from '../bytes.ts';
import { sealAad } from '../crypto/aad.ts';
import { sha256 } from '../crypto/digest.ts';
import { open } from '../crypto/floe.ts';
import { deriveKey } from '../crypto/hkdf.ts';
import { HalfkeyError } from '../errors.ts';
import { FIRST_EPOCH, journalKey, type JournalKey } from './entries/segment.ts';
import type { FoldedVault } from './state/folded-vault.ts';

/** A vault key of one epoch. */
export interface EpochKey {
  readonly epoch: number;
  /** 32 bytes. */
  readonly vaultKey: Bytes;
  /** The object that holds the key of the epoch before, sealed under this one; of every epoch but the first. */
  readonly previous?: Bytes;
}

type KeysByEpoch = ReadonlyMap<number, EpochKey & { readonly journal: JournalKey }>;

/** The vault keys that a device has, and what it opens the journal with. */
export class JournalKeys {
  readonly vault: string;
  readonly #byEpoch: KeysByEpoch;
  readonly #proven = new Set<number>();

  private constructor(vault: string, byEpoch: KeysByEpoch) {
    this.vault = vault;
    this.#byEpoch = byEpoch;
  }

  static async derive(vault: string, keys: readonly EpochKey[]): Promise<JournalKeys> {
    const derived = await Promise.all(
      keys.map(async (key) => {
        const journal = await journalKey(vault, key.epoch, key.vaultKey);
        return [key.epoch, { ...key, journal }] as const;
      }),
    );
    return new JournalKeys(vault, new Map(derived));
  }

  /** The journal key of an epoch; undefined where this device has none. */
  readonly of = (epoch: number): JournalKey | undefined => this.#byEpoch.get(epoch)?.journal;

  /**
   * The key that opens what comes after this state, and that the chain has vouched for: without one nothing can be told
   * of a segment, not even that it does not open.
   *
   * @throws {HalfkeyError} `epoch_key_missing`
   */
  async provenFor(state: FoldedVault): Promise<JournalKey> {
    const { epoch } = state;
    const key = this.of(epoch);
    if (key && (this.#proven.has(epoch) || (await this.#isProven(state)))) {
      this.#proven.add(epoch);
      return key;
    }
    throw new HalfkeyError('epoch_key_missing', `this device has no key of epoch ${String(epoch)}`);
  }

  async #isProven({ epoch, epochs, genesis }: FoldedVault): Promise<boolean> {
    // The first has opened segment 0, or the snapshot in which that was found.
    if (epoch === FIRST_EPOCH) return genesis !== undefined;
    const pinned = epochs.at(-1);
    const [key, before] = [this.#byEpoch.get(epoch), this.#byEpoch.get(epoch - 1)];
    if (!pinned || !key?.previous || !before) return false;
    if (!equalBytes(await sha256(key.previous), pinned.hash)) return false;
    return equalBytes(await openPrevious(this.vault, key, pinned.rotation), before.vaultKey);
  }
}

/** The vault key of the epoch before; empty when this one does not open it. */
async function openPrevious(
  vault: string,
  { epoch, vaultKey, previous }: EpochKey,
  rotation: string,
): Promise<Bytes> {
  const key = await deriveKey(vaultKey, 'previous-key', vault, u32be(epoch));
  try {
    return await open(key, sealAad('previous-key', vault, rotation, epoch), previous ?? new Uint8Array(0));
  } catch (error) {
    if (!(error instanceof HalfkeyError)) throw error;
    return new Uint8Array(0);
  }
}
