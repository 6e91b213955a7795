import { createHash, createHmac, randomBytes } from 'node:crypto';
import * as v from 'valibot';
import type * as contract from '../../contract/accounts.ts';
import { type AccountId, BlobId, GrantId, type VaultId } from '../../contract/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { VaultKms } from '../../ports/kms.ts';
import type { VaultIdentities } from '../../ports/vaults.ts';
import {
  type AccountRecord,
  type Accounts,
  isExpired,
  newAccountId,
  withSession,
} from '../account/accounts.ts';
import type { OneTimeState } from './one-time-state.ts';
import type { OpaqueServer } from './opaque-server.ts';
import { BrokerProblem } from '../problem.ts';
import { keptProof } from './proof.ts';
import type { SecondFactor } from './second-factor.ts';
import type { Session } from '../account/session.ts';
import { requireSigned } from '../segment-signature.ts';
import { FULL_SECONDS, newSessionId } from './sessions.ts';
import { type Issued, issueStage, type Opened, welcome, type WelcomeDeps } from './signed-in.ts';

type Request<R extends { request: v.GenericSchema }> = v.InferOutput<R['request']>;
type Answer<R extends { answer: v.GenericSchema }> = v.InferInput<R['answer']>;

export interface SignupDeps extends WelcomeDeps {
  readonly accounts: Accounts;
  readonly opaque: OpaqueServer;
  readonly secondFactor: SecondFactor;
  readonly state: OneTimeState;
  readonly identities: VaultIdentities;
  readonly vaultKms: VaultKms;
  readonly clock: Clock;
  readonly open: boolean;
  /** 32 bytes; names the one grant that completing a sign-up yields. */
  readonly grantKey: Uint8Array;
}

/** What the record at the end must have been registered for. */
const RegistrationState = v.strictObject({ nameId: v.string(), credentialId: v.string() });

/** The four steps of signing up (contract/accounts.ts). The name is claimed at the last one only. */
export function createSignup(deps: SignupDeps) {
  const { accounts, opaque, secondFactor, clock } = deps;

  async function requireFree(nameId: string): Promise<void> {
    if (!deps.open) throw new BrokerProblem('signup_closed');
    const owner = await accounts.named(nameId);
    const record = owner && (await accounts.read(owner));
    if (record?.phase === 'active') throw new BrokerProblem('name_taken');
  }

  return {
    async start({ userName, registrationRequest }: Request<typeof contract.signupStart>) {
      const nameId = accounts.nameIdOf(userName);
      await requireFree(nameId);
      const credentialId = randomBytes(32).toString('base64url');
      const content: v.InferInput<typeof RegistrationState> = { nameId, credentialId };
      return {
        answer: { registrationResponse: opaque.register(credentialId, registrationRequest) },
        state: await deps.state.seal('registration', content),
      };
    },

    async finish(
      request: Request<typeof contract.signupFinish>,
      sealedStates: readonly string[],
      jkt: string,
    ): Promise<{ answer: Answer<typeof contract.signupFinish>; issued: Issued }> {
      const nameId = accounts.nameIdOf(request.userName);
      const account = newAccountId();
      // Side by side: none of them is anything before the record is written.
      const [, registration, { secret, otpauthUri, record: factor }] = await Promise.all([
        requireFree(nameId),
        deps.state.open('registration', RegistrationState, sealedStates),
        secondFactor.enrol(account, request.userName),
      ]);
      if (registration.nameId !== nameId) throw new BrokerProblem('login_expired');
      const { credentialId } = registration;
      opaque.checkRecord(credentialId, request.registrationRecord);
      await accounts.create(account, {
        phase: 'pending',
        nameId,
        createdAtMs: clock(),
        opaqueRecord: request.registrationRecord,
        credentialId,
        recoveryPublicKey: request.recoveryPublicKey,
        sessionEpoch: 0,
        sessions: [],
        factor,
        devices: [],
        vaults: [],
      });
      const session: Session = {
        account,
        device: undefined,
        sessionId: newSessionId(),
        stage: 'enrol',
        jkt,
      };
      return {
        answer: { account, totpSecret: secret, otpauthUri },
        issued: await issueStage(deps.sessions, session, 0),
      };
    },

    /**
     * The first code, and with it the vault's identity, which is never deleted: a sign-up that is left before has
     * made none. And the KMS half of the first inbox key, logged before KMS is asked like every release.
     */
    async verify(
      session: Session,
      { factor }: Request<typeof contract.signupVerify>,
    ): Promise<{ answer: Answer<typeof contract.signupVerify>; issued: Issued }> {
      const blob = v.parse(BlobId, randomBytes(16).toString('base64url'));
      deps.events.head(session.account).catch(() => undefined); // Found, as a rule, by the time that there is something to log.
      const record = await secondFactor.accept(session, factor, (stored) => {
        requirePending(stored, clock());
        return { ...stored, inboxBlob: blob };
      });
      const known = record.vaults[0];
      const made = known ?? (await deps.identities.create(randomBytes(16).toString('base64url')));
      // Side by side, and both before KMS is asked: the account has the vault, and the log what is about to be made.
      const log = (of: VaultId) =>
        deps.events.append(session.account, { kind: 'generated', vault: of, blobs: [blob] });
      const [vault] = await Promise.all([known ?? keepVault(session.account, made), log(made)]);
      if (vault !== made) await log(vault); // Another request of this sign-up was faster.
      const { kmsHalf, kmsBlob } = await deps.vaultKms.generateDataKey(vault, {
        app: 'halfkey',
        purpose: 'inbox',
        vault,
        blob,
      });
      const next: Session = { ...session, stage: 'setup' };
      return {
        answer: { vault, inbox: { blob, kmsHalf: b64url(kmsHalf), kmsBlob: b64url(kmsBlob) } },
        issued: await issueStage(deps.sessions, next, record.sessionEpoch),
      };
    },

    /**
     * Claims recovery key and name, writes the vault, and last of all makes the account active; whichever step is cut
     * off, the same request again goes on from there.
     */
    async complete(session: Session, request: Request<typeof contract.signupComplete>) {
      const { account, sessionId, jkt } = session;
      const completion = createHash('sha256').update(JSON.stringify(request)).digest('base64url');
      const before = await accounts.recall(account); // As this request was admitted with; what counts is the write below.
      if (!before) throw new BrokerProblem('session_missing');
      const full = { account, sessionId, device: request.device.id, stage: 'full', jkt } as const;
      const opened = before.phase === 'active' ? undefined : await claimAndWrite(full, before, request);
      const live = {
        id: sessionId,
        device: request.device.id,
        expiresAtMs: clock() + FULL_SECONDS * 1000,
        proof: keptProof(proofOf(sessionId), clock()),
      };
      const activating = accounts.update(account, (stored) => {
        if (stored.phase === 'active') {
          requireSame(stored, completion, sessionId);
          return undefined;
        }
        if (stored.phase === 'abandoned') throw new BrokerProblem('name_taken');
        const active: AccountRecord = {
          ...stored,
          phase: 'active',
          keyring: request.keyring,
          identityPublicKey: request.identityPublicKey,
          factor: { ...stored.factor, backupCodes: [...request.backupCodeHashes] },
          completion,
        };
        return withSession(active, live, request.device, clock());
      });
      // Nobody is told of the grant before the account is active.
      const granting = deps.grants.issue(full, { kind: 'release', id: grantOf(sessionId) });
      granting.catch(() => undefined);
      const record = await activating;
      const proof = proofOf(sessionId);
      return welcome(deps, full, record, { grant: await granting, proof, ...(opened && { opened }) });
    },
  };

  /** @returns the account's, which another request may have given it before */
  async function keepVault(account: AccountId, vault: VaultId): Promise<VaultId> {
    return onlyVault(
      await accounts.update(account, (stored) => {
        requirePending(stored, clock());
        return stored.vaults.length > 0 ? undefined : { ...stored, vaults: [vault] };
      }),
    );
  }

  /** @returns what opens the vault that has just been written */
  async function claimAndWrite(
    { account, device }: Pick<Session, 'account' | 'device'>,
    record: AccountRecord,
    request: Request<typeof contract.signupComplete>,
  ): Promise<Opened> {
    requirePending(record, clock());
    const vault = onlyVault(record);
    if (!record.inboxBlob) throw new BrokerProblem('session_missing');
    const genesis = Buffer.from(request.genesis, 'base64url');
    requireSigned(vault, genesis, request.identityPublicKey);
    const claims = Promise.all([
      accounts.claimRecoveryKey(record.recoveryPublicKey, account),
      accounts.claimName(record.nameId, account),
    ]);
    const first = { genesis, inboxBlob: record.inboxBlob, inboxEnvelope: request.inboxEnvelope };
    const head = await deps.vaults.createVault({ account, vault, ...first }, claims);
    await deps.events.append(account, { kind: 'signed-up', device });
    return {
      vaults: [{ vault, role: 'owner', head }],
      opening: [{ vault, from: 0, segments: [request.genesis], pages: [] }],
    };
  }

  /** A repeated request is answered as the first time. */
  function ofSession(purpose: string, sessionId: string): Buffer {
    return createHmac('sha256', deps.grantKey).update(`halfkey/${purpose}/1 ${sessionId}`).digest();
  }

  function grantOf(sessionId: string): GrantId {
    const bytes = ofSession('first-grant', sessionId);
    return v.parse(GrantId, bytes.subarray(0, 16).toString('base64url'));
  }

  function proofOf(sessionId: string): string {
    return ofSession('first-proof', sessionId).toString('base64url');
  }
}

/** A repeated request, whose session was not signed out meanwhile, changes nothing. */
function requireSame(record: AccountRecord, completion: string, sessionId: string): void {
  if (!record.sessions.some(({ id }) => id === sessionId)) throw new BrokerProblem('session_missing');
  if (record.completion !== completion) throw new BrokerProblem('already_exists');
}

function requirePending(record: AccountRecord, nowMs: number): void {
  if (record.phase === 'abandoned') throw new BrokerProblem('name_taken');
  if (record.phase !== 'pending' || isExpired(record, nowMs)) throw new BrokerProblem('session_missing');
}

function onlyVault(record: AccountRecord) {
  const [vault] = record.vaults;
  if (!vault) throw new BrokerProblem('record_corrupt');
  return vault;
}

function b64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
