import type * as v from 'valibot';
import { envelopesWrite } from '$contract/vault-keys.ts';
import { toB64Url, type Bytes } from '../../bytes.ts';
import { HalfkeyError } from '../../errors.ts';
import type { JournalHead } from '../../journal/entries/segment.ts';
import { toJournalHead } from '../../vault/journal-head.ts';
import { liveGrant, type OpenVault } from '../../vault/open-vault.ts';

export type NewEnvelope = v.InferInput<typeof envelopesWrite.request>['envelopes'][number];
export type RefusedEnvelope = v.InferOutput<typeof envelopesWrite.answer>['refused'][number];

/**
 * Envelopes that go in one request with the segment whose entries they make readable: the broker writes it only once
 * every one of them stands.
 */
export class EnvelopesAlong {
  readonly #vault: OpenVault;
  readonly #envelopes: readonly NewEnvelope[];
  #areWritten = false;
  #refused: readonly RefusedEnvelope[] = [];

  constructor(vault: OpenVault, envelopes: readonly NewEnvelope[]) {
    this.#vault = vault;
    this.#envelopes = envelopes;
  }

  /** Those of which the broker took none; all others stand then, and the segment was not written. */
  get refused(): readonly RefusedEnvelope[] {
    return this.#refused;
  }

  /**
   * As `SendAlong` wants it.
   * @throws {HalfkeyError} of one that was refused; as `JournalRemote.append`
   */
  async send(segment: Bytes): Promise<JournalHead | undefined> {
    if (this.#areWritten) return undefined;
    const { broker, vault } = this.#vault;
    const envelopes = [...this.#envelopes];
    const entry = { segment: toB64Url(segment), ...liveGrant(this.#vault) };
    try {
      const { head, refused } = await broker.call(envelopesWrite, { envelopes, entry }, { vault });
      this.#areWritten = true;
      this.#refused = refused;
      if (head) return toJournalHead(head);
    } catch (error) {
      this.#areWritten ||= error instanceof HalfkeyError && error.code === 'head_changed';
      throw error;
    }
    const [first] = this.#refused;
    throw new HalfkeyError(first?.code ?? 'broker_unreachable', 'the broker did not take every envelope');
  }
}
