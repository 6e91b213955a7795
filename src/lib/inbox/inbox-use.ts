import { HalfkeyError } from '../errors.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import { inboxEpochNeeded } from '../journal/state/inbox-epochs.ts';
import type { InboxKey } from '../journal/entries/operations.ts';

/** Which inbox key a tab seals to, and which ones its device still needs (docs/FORMAT.md §13.4). */
export class InboxUse {
  readonly #journal: { readonly state: FoldedVault };
  readonly #sealedTo: () => Promise<readonly number[]>;
  readonly #held = new Set<{ readonly epoch: number }>();

  /** @param sealedTo epochs of the keys that what rests on this device is sealed to */
  constructor(journal: { readonly state: FoldedVault }, sealedTo: () => Promise<readonly number[]>) {
    this.#journal = journal;
    this.#sealedTo = sealedTo;
  }

  /**
   * Seals to the newest key; until `work` is done, which is when what it seals rests on the disk, that key counts as needed.
   * @throws {HalfkeyError} `vault_missing` when the journal names none
   */
  async seal<Result>(work: (inbox: InboxKey) => Promise<Result>): Promise<Result> {
    const inbox = this.#journal.state.newestInboxKey;
    if (!inbox) throw new HalfkeyError('vault_missing', 'the journal names no inbox key');
    const holding = { epoch: inbox.epoch };
    this.#held.add(holding);
    try {
      return await work(inbox);
    } finally {
      this.#held.delete(holding);
    }
  }

  /** The epoch of the oldest key that is needed here, now or later. It speaks for this tab and for what rests, not for other tabs. */
  async oldestNeeded(): Promise<number> {
    // What is chosen while the disk is read is no older than the newest key of now.
    const newest = this.#journal.state.newestInboxKey?.epoch ?? 0;
    const held = [...this.#held].map(({ epoch }) => epoch);
    return inboxEpochNeeded(this.#journal.state, [newest, ...held, ...(await this.#sealedTo())]);
  }
}
