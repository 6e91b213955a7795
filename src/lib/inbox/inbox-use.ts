import { HalfkeyError } from '../errors.ts';
import type { FoldedVault, PublishedInboxKey } from '../journal/state/folded-vault.ts';
import { inboxEpochNeeded, isOfIdentity } from '../journal/state/inbox-epochs.ts';
import type { InboxKey } from '../journal/entries/operations.ts';
import type { OwnInboxKeys } from './own-keys.ts';

/** Which inbox key a tab seals to, and which ones its device still needs (docs/FORMAT.md §13.4). */
export class InboxUse {
  readonly #journal: { readonly state: FoldedVault };
  readonly #sealedTo: () => Promise<readonly number[]>;
  readonly #own: Pick<OwnInboxKeys, 'includes' | 'add'>;
  readonly #held = new Set<{ readonly epoch: number }>();
  readonly #choosing = new Set<Promise<unknown>>();

  /**
   * @param sealedTo epochs of the keys that what is stored on this device is sealed to
   * @param own which key pairs this device has made
   */
  constructor(
    journal: { readonly state: FoldedVault },
    sealedTo: () => Promise<readonly number[]>,
    own: Pick<OwnInboxKeys, 'includes' | 'add'>,
  ) {
    this.#journal = journal;
    this.#sealedTo = sealedTo;
    this.#own = own;
  }

  /**
   * The newest key that this device may seal to: one that it made itself, or that the identity key brought; undefined
   * for none.
   */
  async newest(): Promise<PublishedInboxKey | undefined> {
    const isOwn = await this.#own.includes();
    const { inboxKeys, oldestInboxEpoch } = this.#journal.state;
    return inboxKeys.findLast((key) => key.epoch >= oldestInboxEpoch && (isOfIdentity(key) || isOwn(key)));
  }

  /** This device has made a key pair, which the journal is about to name. */
  made(inbox: InboxKey): Promise<void> {
    return this.#own.add(inbox);
  }

  /**
   * Seals to the newest key that it may; until `work` is done, which is when what it seals is on the disk, that key
   * counts as needed.
   * @throws {HalfkeyError} `vault_missing` when the journal names none
   */
  async seal<Result>(work: (inbox: InboxKey) => Promise<Result>): Promise<Result> {
    const choosing = this.newest();
    this.#choosing.add(choosing);
    const inbox = await choosing.finally(() => this.#choosing.delete(choosing));
    if (!inbox) throw new HalfkeyError('vault_missing', 'the journal names no inbox key to seal to');
    const holding = { epoch: inbox.epoch };
    this.#held.add(holding);
    try {
      return await work(inbox);
    } finally {
      this.#held.delete(holding);
    }
  }

  /**
   * The epoch of the oldest key that is needed here, now or later. It speaks for this tab and for what is stored, not
   * for other tabs.
   */
  async oldestNeeded(): Promise<number> {
    // Who is just choosing may have begun before the newest key was made.
    await Promise.allSettled(this.#choosing);
    // What is chosen while the disk is read is no older than the newest key of now.
    const newest = (await this.newest())?.epoch ?? this.#journal.state.newestInboxKey?.epoch ?? 0;
    const held = [...this.#held].map(({ epoch }) => epoch);
    return inboxEpochNeeded(this.#journal.state, [newest, ...held, ...(await this.#sealedTo())]);
  }
}
