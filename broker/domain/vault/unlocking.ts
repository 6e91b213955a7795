import type { Grant } from '../../contract/accounts.ts';
import type { EnvelopeName } from '../../contract/envelope.ts';
import type { BlobId, Factor, VaultId } from '../../contract/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Session } from '../account/session.ts';
import type { Grants } from '../auth/grants.ts';
import type { SecondFactor } from '../auth/second-factor.ts';
import { isLive } from '../auth/sessions.ts';
import { BrokerProblem } from '../problem.ts';
import type { EventLog } from '../state/event-log.ts';
import { blobKeys } from './blob-keys.ts';
import type { Released } from './keys.ts';
import type { VaultSide } from './vaults.ts';

/** What somebody who is signed in has typed a code for. */
interface Unlocking {
  readonly factor: Factor;
  readonly releases?: number | undefined;
  /** Files to be released at once. */
  readonly release?: { readonly vault: VaultId; readonly names: readonly EnvelopeName[] } | undefined;
}

/** A code buys a grant, and what it was typed for is released against that. */
export type Unlock = (session: Session, order: Unlocking) => Promise<Grant & { released?: ReleasedFiles }>;

/** With URLs of their ciphertext, which wants no grant. */
interface ReleasedFiles extends Released {
  readonly urls: readonly { readonly blob: BlobId; readonly url: string }[];
}

export interface UnlockDeps {
  readonly secondFactor: Pick<SecondFactor, 'acceptBeside'>;
  readonly grants: Pick<Grants, 'issue'>;
  readonly events: Pick<EventLog, 'append' | 'head'>;
  readonly vaults: Pick<VaultSide, 'requireMember' | 'keys' | 'objects'>;
  readonly clock: Clock;
}

export function createUnlock({ secondFactor, grants, events, vaults, clock }: UnlockDeps): Unlock {
  /** The code has bought its grant whatever becomes of this: whoever hears nothing of a file asks for it. */
  async function release(
    session: Session,
    grant: Grant,
    { vault, names }: NonNullable<Unlocking['release']>,
    membership: Promise<unknown>,
    logged: Promise<unknown>,
  ): Promise<ReleasedFiles | undefined> {
    // Asking for more than it has would tell the owner of a stranger.
    if (names.length > grant.releases) return undefined;
    try {
      await membership;
      const order = { grant: grant.id, purpose: 'file', names } as const;
      const released = await vaults.keys.release(session, vault, order, logged);
      const urls = released.keys.map(async ({ blob }) => ({
        blob,
        url: await vaults.objects.presignGet(vault, blobKeys.blob(blob)),
      }));
      return { ...released, urls: await Promise.all(urls) };
    } catch (error) {
      if (error instanceof BrokerProblem) return undefined;
      throw error;
    }
  }

  return async (session, { factor, releases, release: wanted }) => {
    events.head(session.account).catch(() => undefined); // As a rule it is found by the time that there is something to log.
    const membership = wanted && vaults.requireMember(session.account, wanted.vault);
    membership?.catch(() => undefined); // Met after the code.
    // Written with the acceptance: a grant that nobody was told of is none, and anyone who is told of it is told once
    // all is there.
    const { record, beside: grant } = await secondFactor.acceptBeside(session, factor, () =>
      grants.issue(session, { kind: 'release', releases }),
    );
    const logged = events.append(session.account, { kind: 'granted', device: session.device });
    // As the account was when the code was accepted: a session that was ended since it asked opens nothing.
    const mayOpen = isLive(record, session, clock());
    const [released] = await Promise.all([
      wanted && membership && mayOpen && release(session, grant, wanted, membership, logged),
      logged,
    ]);
    return { ...grant, ...(released && { released }) };
  };
}
