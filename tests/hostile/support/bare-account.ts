import { Authenticator } from '../../support/authenticator.ts';
import type { Servers } from '../../support/stack.ts';
import type { Device } from '../../worker/device.ts';
import type { Person } from '../../e2e/person.ts';
import { deriveSecrets } from '../../e2e/derive-secrets.ts';
import type { Secret } from '../../e2e/find-secrets.ts';

/** Somebody who signed up at the bare page, and what is needed to become him elsewhere. */
export interface BareAccount {
  readonly userName: string;
  readonly passphrase: string;
  readonly authenticator: Authenticator;
  readonly recoveryWords: string;
  /** Each opens the drive once. */
  readonly backupCodes: string[];
}

let people = 0;

export async function signUpBare(device: Device, { clock }: Servers, name = 'victim'): Promise<BareAccount> {
  await device.send('boot', {});
  const userName = `${name}-${String(++people)}`;
  const passphrase = `${userName} counts nine silver boats at dawn`;
  const { totpSecret } = await device.send('sign-up/start', { userName, passphrase });
  const authenticator = new Authenticator(totpSecret, clock);
  const code = await authenticator.code();
  const { recoveryWords, backupCodes } = await device.send('sign-up/verify', { code });
  return {
    userName,
    passphrase,
    authenticator,
    recoveryWords: recoveryWords.join(' '),
    backupCodes: [...backupCodes],
  };
}

/** The next of the backup codes. */
export function backupFactor({ backupCodes }: BareAccount): { backupCode: string } {
  const backupCode = backupCodes.pop();
  if (backupCode === undefined) throw new Error('expected a backup code that is left');
  return { backupCode };
}

/** The account's keys as they really are, found with the client's own code outside the browser. */
export function secretsOf(origin: string, account: BareAccount, fileName: string): Promise<Secret[]> {
  const { userName, passphrase, recoveryWords, authenticator } = account;
  const person = { userName, passphrase, recoveryWords, code: () => authenticator.code() };
  return deriveSecrets(origin, person as unknown as Person, fileName);
}
