import { expect } from 'vitest';
import * as account from '$contract/accounts.ts';
import type { AccountClient } from '../../../support/account-client.ts';
import { buyGrant, endGrant, recovery, signIn, signOut, signUp } from './account-flows.ts';
import type { Flow } from './flow.ts';
import { askForAuthenticator, pairAuthenticator, stopAsked } from './factor-reset-flows.ts';
import {
  proveAgain,
  renewAuthenticator,
  renewBackupCodes,
  renewKit,
  renewPassphrase,
  revokeDevice,
} from './credentials-flows.ts';
import { adopt, append, generate, inbox, purge, release, unlock, upload } from './vault-flows.ts';

/** Every flow of the broker that writes. */
export const FLOWS: readonly Flow[] = [
  signUp,
  signIn,
  buyGrant,
  endGrant,
  generate,
  release,
  unlock,
  append,
  adopt,
  upload,
  purge,
  recovery,
  signOut,
  inbox,
  proveAgain,
  renewBackupCodes,
  renewAuthenticator,
  renewKit,
  renewPassphrase,
  revokeDevice,
  askForAuthenticator,
  stopAsked,
];

/** And those for which time has to pass. */
export const SLOW_FLOWS: readonly Flow[] = [pairAuthenticator];

/** What is true whatever went wrong: the account's events are one chain, with nothing missing. */
export async function checkEvents(client: AccountClient): Promise<void> {
  const reply = await client.call(account.eventsRead, { from: '0' });
  if (!reply.ok) {
    expect(reply.code).toBe('session_missing');
    return;
  }
  const { events } = reply.answer;
  expect(events.map(({ seq }) => seq)).toEqual([...events.keys()]);
  expect(events.slice(1).map(({ prevHash }) => prevHash)).toEqual(
    events.slice(0, -1).map(({ hash }) => hash),
  );
}
