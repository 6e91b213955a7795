import type { AccountId } from '../contract/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { BrokerKms, VaultKms } from '../ports/kms.ts';
import type { StateStore, StateVersions } from '../ports/state.ts';
import type { Purger, UnfinishedUploads, VaultIdentities, VaultObjects } from '../ports/vaults.ts';
import { createAccounts } from './account/accounts.ts';
import { createGrants } from './auth/grants.ts';
import { createLoginPace } from './auth/login-pace.ts';
import { createOneTimeState } from './auth/one-time-state.ts';
import { createPossession } from './auth/possession.ts';
import { createOpaqueServer } from './auth/opaque-server.ts';
import { createRecovery } from './auth/recovery.ts';
import { createFactorReset } from './auth/factor-reset.ts';
import { createCredentials } from './auth/credentials.ts';
import { createSecondFactor } from './auth/second-factor.ts';
import { createSessions } from './auth/sessions.ts';
import { createSignin } from './auth/signin.ts';
import { createSignup } from './auth/signup.ts';
import { createEventLog } from './state/event-log.ts';
import type { RecordCodec } from './state/record-codec.ts';
import { createRecords } from './state/records.ts';
import type { Setup } from './state/setup.ts';
import { stateKeys } from './state/state-keys.ts';
import { createSignOut } from './auth/signing-out.ts';
import { createSweep } from './sweep.ts';
import { createUnlock } from './vault/unlocking.ts';
import { createVaultSide, type VaultSide } from './vault/vaults.ts';

/** What the rules of the broker need of the world. */
export interface DomainPorts {
  readonly state: StateStore;
  readonly versions: StateVersions;
  readonly kms: BrokerKms;
  readonly vaultKms: VaultKms;
  readonly vaultObjects: VaultObjects;
  readonly identities: VaultIdentities;
  readonly purger: Purger;
  readonly unfinished: UnfinishedUploads;
  readonly clock: Clock;
}

/** What anyone who runs a broker decides. */
export interface DomainSettings {
  readonly signupOpen: boolean;
  readonly grantSeconds: number;
  readonly grantReleases: number;
  /** Bytes that a vault may hold; undefined: no limit. */
  readonly quotaBytes: number | undefined;
}

/** All that a broker does, whatever asks it: routes, a command line, a timer. */
export type Domain = ReturnType<typeof createDomain>;

/** @param shared what all brokers of one bucket share, from `loadSetup` */
export function createDomain(
  ports: DomainPorts,
  shared: { readonly setup: Setup; readonly codec: RecordCodec },
  settings: DomainSettings,
) {
  const { clock, state: store } = ports;
  const { setup, codec } = shared;
  const records = createRecords(store, codec);
  const accounts = createAccounts(records, setup.nameKey);
  const events = createEventLog(store, codec, clock);
  const grants = createGrants(records, clock, settings);
  const secondFactor = createSecondFactor(accounts, ports.kms, events, clock);
  const sessions = createSessions(setup.sessionKey, accounts, events, clock);
  const vaults: VaultSide = createVaultSide({
    accounts,
    records,
    grants,
    events,
    secondFactor,
    objects: ports.vaultObjects,
    kms: ports.vaultKms,
    purger: ports.purger,
    clock,
    envelopeKey: setup.envelopeKey,
    settings,
  });
  const state = createOneTimeState(setup.stateKey, records, clock);
  const opaque = createOpaqueServer(setup);
  const forgetOldRecords = (account: AccountId): Promise<void> =>
    store.eraseHistory(stateKeys.account(account));
  const common = { accounts, opaque, secondFactor, sessions, grants, events, vaults, state, clock };
  return {
    ...common,
    signOut: createSignOut(accounts, events),
    unlock: createUnlock(common),
    possession: createPossession(setup.nonceKey, clock),
    sweep: createSweep({
      versions: ports.versions,
      accounts,
      purger: ports.purger,
      unfinished: ports.unfinished,
      findOrphans: vaults.findOrphans,
      clock,
    }),
    signup: createSignup({
      ...common,
      identities: ports.identities,
      vaultKms: ports.vaultKms,
      open: settings.signupOpen,
      grantKey: setup.sessionKey,
    }),
    signin: createSignin({
      ...common,
      countLogin: createLoginPace(records, setup.nameKey, clock),
      nameKey: setup.nameKey,
    }),
    recovery: createRecovery({ ...common, forgetOldRecords }),
    credentials: createCredentials({ ...common, forgetOldRecords }),
    factorReset: createFactorReset({ ...common, forgetOldRecords }),
  };
}
