import type { EnvelopeRecord } from '../../contract/envelope.ts';
import type { Head, Membership, Opening, SignedIn } from '../../contract/accounts.ts';
import type { AccountId, BlobId, VaultId } from '../../contract/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { VaultKms } from '../../ports/kms.ts';
import type { Purger, VaultObjects } from '../../ports/vaults.ts';
import type { Accounts } from '../account/accounts.ts';
import { blobKeys } from './blob-keys.ts';
import { createAppending, type Appending } from './appending.ts';
import { createDiscarding, type Discarding } from './discarding.ts';
import { createEnvelopeProofs } from './envelope-proofs.ts';
import type { EventLog } from '../state/event-log.ts';
import type { Grants } from '../auth/grants.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { createKeys, encodeEnvelope, type Keys } from './keys.ts';
import { createLog, genesisHead, type Log, logKey } from './log.ts';
import { BrokerProblem } from '../problem.ts';
import { createFindOrphans, type FindOrphans } from './orphans.ts';
import { createPurge, type Purge } from './purge.ts';
import type { Records } from '../state/records.ts';
import type { SecondFactor } from '../auth/second-factor.ts';
import { createUploads, type Uploads } from './uploads.ts';
import { createRoom } from './room.ts';
import { createVaultEvents, type VaultEvents } from './events.ts';
import { createVaultRecords, type VaultRecord } from './vault-record.ts';

/** What the vaults are to the account side, and what their routes are made of. */
export interface VaultSide {
  /** @throws BrokerProblem `not_a_member`, alike for a vault of others and for none */
  requireMember(account: AccountId, vault: VaultId): Promise<VaultRecord>;
  /**
   * Whether this process has just seen that it is one: enough to look ahead for whoever is about to be admitted, and for
   * nothing else.
   */
  isKnownMember(account: AccountId, vault: VaultId): boolean;
  /** The account's vaults, each with its head as the objects say it. */
  memberships(account: AccountId): Promise<Membership[]>;
  /** The same, with what a device without a copy begins from. */
  open(account: AccountId): Promise<Pick<SignedIn, 'vaults' | 'opening'>>;
  /**
   * Writes the first envelope, the first segment and, last, the record that makes the account its owner, so that there
   * is not a vault without the two. Repeating it with equal bytes is answered alike.
   * @param claims has to come true before the record is written
   * @throws BrokerProblem `input_malformed`, `already_exists` when other bytes are there
   */
  createVault(
    vault: {
      account: AccountId;
      vault: VaultId;
      /** Segment 0. */
      genesis: Uint8Array;
      inboxBlob: BlobId;
      inboxEnvelope: EnvelopeRecord;
    },
    claims?: Promise<unknown>,
  ): Promise<Head>;
  readonly keys: Keys;
  readonly uploads: Uploads;
  readonly log: Log;
  readonly appending: Appending;
  readonly inbox: Inbox;
  readonly discarding: Discarding;
  readonly news: VaultEvents;
  readonly purge: Purge;
  readonly objects: VaultObjects;
  /** Of what is listed below `v/`, what nothing names. */
  readonly findOrphans: FindOrphans;
  /** Ends what runs by itself. */
  close(): void;
}

export interface VaultSideDeps {
  readonly accounts: Pick<Accounts, 'recall'>;
  readonly records: Records;
  readonly grants: Grants;
  readonly events: Pick<EventLog, 'append' | 'appendOnce' | 'head'>;
  readonly secondFactor: Pick<SecondFactor, 'accept'>;
  readonly objects: VaultObjects;
  readonly kms: VaultKms;
  readonly purger: Purger;
  readonly clock: Clock;
  /** 32 bytes, from `broker/setup`. */
  readonly envelopeKey: Uint8Array;
  readonly settings: {
    /** Bytes that a vault may hold; undefined: no limit. */
    readonly quotaBytes?: number | undefined;
  };
}

const isMember = ({ members }: VaultRecord, account: AccountId): boolean =>
  members.some((member) => member.account === account);

const b64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** With the time that reading takes, heads of other brokers are told within a second. */
const POLL_MS = 700;

export function createVaultSide(deps: VaultSideDeps): VaultSide {
  const { accounts, objects, clock } = deps;
  const records = createVaultRecords(deps.records);
  const { quotaBytes } = deps.settings;
  const room = createRoom({ objects, records: deps.records, grants: deps.grants, clock, quotaBytes });
  const news = createVaultEvents({
    readHead: async (vault) => (await records.read(vault))?.head,
    pollMs: POLL_MS,
  });
  const log = createLog({
    objects,
    records,
    room,
    clock,
    announce: (vault, head) => {
      news.announceHead(vault, head);
    },
  });

  async function requireMember(account: AccountId, vault: VaultId): Promise<VaultRecord> {
    const record = await records.read(vault);
    if (!record || !isMember(record, account)) throw new BrokerProblem('not_a_member');
    return record;
  }

  /** Which these are says the account's own record, which this request was admitted with. */
  async function vaultsOf(account: AccountId): Promise<readonly VaultId[]> {
    return (await accounts.recall(account))?.vaults ?? [];
  }

  async function openOne(
    account: AccountId,
    vault: VaultId,
  ): Promise<{ vault: VaultId; head: Head; opening: Opening }> {
    // What is asked as the vault's own identity waits for its credentials: they are fetched while the record is read.
    const [record] = await Promise.all([requireMember(account, vault), objects.warm(vault)]);
    const [newest] = record.snapshots;
    const from = newest ? newest.seq + 1 : 0;
    const [{ head, segments }, pages] = await Promise.all([
      log.read(vault, record.head, from),
      Promise.all((newest?.pages ?? []).map((page) => pageUrl(vault, newest?.seq ?? 0, page))),
    ]);
    return { vault, head, opening: { vault, from, segments: segments.map(b64url), pages } };
  }

  async function pageUrl(vault: VaultId, seq: number, page: BlobId) {
    return { seq, page, url: await objects.presignGet(vault, blobKeys.snapshotPage(seq, page)) };
  }

  return {
    requireMember,
    isKnownMember(account, vault) {
      const record = records.justSeen(vault);
      return record !== undefined && isMember(record, account);
    },
    async memberships(account) {
      return Promise.all(
        (await vaultsOf(account)).map(async (vault) => {
          const { head } = await requireMember(account, vault);
          return { vault, role: 'owner' as const, head: await log.head(vault, head) };
        }),
      );
    },
    async open(account) {
      const opened = await Promise.all((await vaultsOf(account)).map((vault) => openOne(account, vault)));
      return {
        vaults: opened.map(({ vault, head }) => ({ vault, role: 'owner', head })),
        opening: opened.map(({ opening }) => opening),
      };
    },
    async createVault({ account, vault, genesis, inboxBlob, inboxEnvelope }, claims) {
      claims?.catch(() => undefined); // Met below, unless what is to be written is refused before.
      const head = genesisHead(genesis);
      if (inboxEnvelope.purpose !== 'inbox') {
        throw new BrokerProblem('input_malformed', { fields: ['inboxEnvelope.purpose'] });
      }
      const firstObjects: [string, Uint8Array][] = [
        [blobKeys.envelope(inboxBlob, inboxEnvelope.epoch), encodeEnvelope(inboxEnvelope)],
        [logKey(0), genesis],
      ];
      const [outcomes] = await Promise.all([
        Promise.all(firstObjects.map(([key, bytes]) => objects.create(vault, key, bytes))),
        claims,
      ]);
      if (outcomes.includes('exists')) throw new BrokerProblem('already_exists');
      const record: VaultRecord = {
        members: [{ account, role: 'owner' }],
        head,
        epoch: 0,
        appends: [],
        snapshots: [],
      };
      if ((await records.create(vault, record)) === 'exists') await requireMember(account, vault);
      return head;
    },
    appending: createAppending({ accounts, grants: deps.grants, log, clock }),
    keys: createKeys({ ...deps, room, proofs: createEnvelopeProofs(deps.envelopeKey, clock) }),
    uploads: createUploads(objects, room),
    log,
    inbox: createInbox({
      ...deps,
      room,
      announce: (vault) => {
        news.announceInbox(vault);
      },
    }),
    discarding: createDiscarding({ ...deps, room }),
    news,
    purge: createPurge({ ...deps, room }),
    objects,
    findOrphans: createFindOrphans({ objects, vaults: records, clock }),
    close: () => {
      news.close();
    },
  };
}
