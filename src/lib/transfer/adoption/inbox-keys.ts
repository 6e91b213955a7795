import type { BlobId } from '$contract/ids.ts';
import { envelopesWrite, keysGenerate, keysRelease } from '$contract/vault-keys.ts';
import { fromB64Url } from '../../bytes.ts';
import { HalfkeyError } from '../../errors.ts';
import { createInboxKey, openInboxKey, type InboxPrivateKey } from '../../inbox/keys.ts';
import { isInboxKeyDue } from '../../journal/state/inbox-epochs.ts';
import type { InboxKey } from '../../journal/entries/operations.ts';
import type { OpenVault } from '../../vault/open-vault.ts';
import { newBlobId } from '../blob-id.ts';
import { retry } from '../../remote/retry.ts';
import { fromRecord, toRecord } from '../../vault/envelope-record.ts';
import { wipeAtEnd } from '../../crypto/wipe.ts';

/** The inbox's private keys, for as long as a grant is live: each is released once. */
export class InboxKeys {
  readonly #vault: () => OpenVault;
  readonly #opened = new Map<number, InboxPrivateKey | HalfkeyError>();

  constructor(vault: () => OpenVault) {
    this.#vault = vault;
  }

  /**
   * The private half of a key that the journal names. What does not open is not asked for again under this grant.
   * @throws {HalfkeyError} `locked`, `grant_spent`; `key_absent` without an envelope; `kms_half_wrong`,
   *   `envelope_corrupt`
   */
  async open(inbox: InboxKey, signal: AbortSignal): Promise<InboxPrivateKey> {
    const known = this.#opened.get(inbox.epoch);
    if (known instanceof HalfkeyError) throw known;
    if (known) return known;
    try {
      return await this.#release(inbox, signal);
    } catch (error) {
      if (isOfKey(error)) this.#opened.set(inbox.epoch, error);
      throw error;
    }
  }

  async #release(inbox: InboxKey, signal: AbortSignal): Promise<InboxPrivateKey> {
    const { broker, vault, epoch, vaultKey, requireGrant } = this.#vault();
    const blob = inbox.blob as BlobId;
    const { keys, refused } = await retry(
      () =>
        broker.call(
          keysRelease,
          { grant: requireGrant(), purpose: 'inbox', names: [{ blob, epoch }] },
          { vault, signal },
        ),
      signal,
    );
    const released = keys.find((key) => key.blob === blob && key.epoch === epoch);
    if (!released) {
      throw new HalfkeyError(
        refused.find((each) => each.blob === blob)?.code ?? 'key_absent',
        'the broker opens no envelope of an inbox key',
      );
    }
    const kmsHalf = fromB64Url(released.kmsHalf);
    using _kmsHalf = wipeAtEnd(kmsHalf);
    const halves = { vault, epoch, vaultKey, kmsHalf };
    const key = await openInboxKey({ ...halves, envelope: fromRecord(released.envelope) }, inbox);
    if (signal.aborted) key.privateKey.fill(0);
    signal.throwIfAborted();
    this.#opened.set(inbox.epoch, key);
    return key;
  }

  /**
   * Publishes a new key pair when the newest that this device may seal to is a day old, so that what is captured from
   * then on is closed to anyone who learns the older one. The private half goes into its envelope and is not kept.
   */
  async renew(nowMs: number, signal: AbortSignal): Promise<void> {
    const { broker, vault, epoch, vaultKey, journal, inboxUse, requireGrant } = this.#vault();
    const newest = journal.state.newestInboxKey;
    if (!newest || !isInboxKeyDue(await inboxUse.newest(), nowMs)) return;
    const blob = newBlobId();
    const grant = requireGrant();
    const { keys } = await retry(
      () => broker.call(keysGenerate, { grant, purpose: 'inbox', epoch, blobs: [blob] }, { vault, signal }),
      signal,
    );
    const made = keys.find((key) => key.blob === blob);
    if (!made) throw new HalfkeyError('broker_unreachable', 'the broker made no key for the inbox');
    const [kmsHalf, kmsBlob] = [fromB64Url(made.kmsHalf), fromB64Url(made.kmsBlob)];
    using _kmsHalf = wipeAtEnd(kmsHalf);
    const halves = { vault, epoch, vaultKey, kmsHalf, kmsBlob };
    const { inbox, envelope } = await createInboxKey(halves, { blob, epoch: newest.epoch + 1 });
    const envelopes = [{ blob, envelope: toRecord(envelope), proof: made.proof }];
    const { refused } = await retry(
      () => broker.call(envelopesWrite, { envelopes }, { vault, signal }),
      signal,
    );
    // A key that could not be opened again must not be named.
    if (refused[0]) throw new HalfkeyError(refused[0].code, 'the broker takes no envelope of an inbox key');
    await inboxUse.made(inbox);
    await journal.append((state) =>
      state.newestInboxKey?.epoch === newest.epoch ? [{ kind: 'inbox-key', inbox, atMs: nowMs }] : [],
    );
  }

  /** The grant is over. */
  wipe(): void {
    for (const key of this.#opened.values()) if (!(key instanceof HalfkeyError)) key.privateKey.fill(0);
    this.#opened.clear();
  }
}

/** What is wrong with one key, and with nothing else. */
export function isOfKey(error: unknown): error is HalfkeyError {
  if (!(error instanceof HalfkeyError)) return false;
  return error.family === 'corrupt' || error.code === 'key_absent' || error.code === 'purged';
}
