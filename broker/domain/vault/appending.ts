import type { Head } from '../../contract/accounts.ts';
import { DeviceId, type GrantId, type VaultId } from '../../contract/ids.ts';
import type { NamedSnapshot } from '../../contract/vault-log.ts';
import { readSegmentHead } from '../../contract/segment.ts';
import * as v from 'valibot';
import type { Clock } from '../../ports/clock.ts';
import type { Accounts } from '../account/accounts.ts';
import type { Session } from '../account/session.ts';
import type { Grants } from '../auth/grants.ts';
import { requireProof } from '../auth/proof.ts';
import { BrokerProblem } from '../problem.ts';
import { type Appended, secondsToWait } from './append-pace.ts';
import type { Log } from './log.ts';
import { requireSigned } from '../segment-signature.ts';
import type { VaultRecord } from './vault-record.ts';

/** What somebody wants to append, and what allows it. */
interface AppendOrder {
  readonly segment: Uint8Array;
  /** Of passphrase or kit, and a code. */
  readonly proof?: string | undefined;
  readonly grant?: GrantId | undefined;
  /** Whose pages the segment names. */
  readonly snapshot?: NamedSnapshot | undefined;
}

/** Who may append what to a vault's journal. */
export interface Appending {
  /**
   * Writes a segment that the session's device has signed, or, with a proof, the identity key.
   * @throws BrokerProblem `input_malformed` for what was not signed by one who may; `proof_missing`;
   *   `too_many_requests`; as Log.append
   */
  append(session: Session, vault: VaultId, record: VaultRecord, order: AppendOrder): Promise<Head>;
}

export interface AppendingDeps {
  readonly accounts: Pick<Accounts, 'recall'>;
  readonly grants: Pick<Grants, 'require'>;
  readonly log: Pick<Log, 'append'>;
  readonly clock: Clock;
}

export function createAppending({ accounts, grants, log, clock }: AppendingDeps): Appending {
  async function requireOwner(
    session: Session,
    vault: VaultId,
    { segment, proof }: AppendOrder,
  ): Promise<void> {
    if (proof === undefined) throw new BrokerProblem('proof_missing');
    // As this very request was admitted with, if that was not long ago.
    const account = await accounts.recall(session.account);
    if (!account) throw new BrokerProblem('session_missing');
    requireProof(account, { session, proof }, clock());
    requireSigned(vault, segment, account.identityPublicKey);
  }

  async function isGranted(session: Session, grant: GrantId | undefined): Promise<boolean> {
    if (grant === undefined) return false;
    try {
      await grants.require(session, grant, 'release');
      return true;
    } catch (error) {
      if (error instanceof BrokerProblem && error.code === 'grant_missing') return false;
      throw error;
    }
  }

  /** The grant is looked for only where it makes a difference: most appends cost no request for it. */
  async function requirePace(
    session: Session,
    { appends }: VaultRecord,
    appended: Appended,
    grant: GrantId | undefined,
  ): Promise<void> {
    const nowMs = clock();
    if (secondsToWait(appends, appended, nowMs, false) === 0) return;
    const retryAfterSeconds = secondsToWait(appends, appended, nowMs, await isGranted(session, grant));
    if (retryAfterSeconds > 0) throw new BrokerProblem('too_many_requests', { retryAfterSeconds });
  }

  return {
    async append(session, vault, record, order) {
      const { segment, grant, snapshot } = order;
      const head = readSegmentHead(segment);
      if (head?.epoch !== record.epoch) throw malformed();
      // What is said in the clear is believed when somebody signs in, long after this device may have been signed out.
      if (snapshot && snapshot.seq >= head.seq) throw malformed('snapshot.seq');
      if (head.writer.every((byte) => byte === 0)) {
        await requireOwner(session, vault, order);
        return log.append(vault, record.head, segment, undefined, snapshot);
      }
      const writer = v.safeParse(DeviceId, Buffer.from(head.writer).toString('base64url'));
      if (!writer.success || writer.output !== session.device) throw malformed();
      requireSigned(vault, segment, session.deviceKey);
      const appended = { device: writer.output, bytes: segment.length };
      const admit = (newer: VaultRecord | undefined) =>
        requirePace(session, newer ?? record, appended, grant);
      return log.append(vault, record.head, segment, admit, snapshot);
    },
  };
}

const malformed = (field = 'segment'): BrokerProblem =>
  new BrokerProblem('input_malformed', { fields: [field] });
