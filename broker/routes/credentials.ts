import * as contract from '../contract/credentials.ts';
import type { createCredentials } from '../domain/auth/credentials.ts';
import { admitTo, takeState } from './accounts.ts';
import { type Frame, register } from './frame.ts';

/** Everything in contract/credentials.ts. */
export function createCredentialsRoutes(
  frame: Frame,
  credentials: ReturnType<typeof createCredentials>,
): void {
  register(frame, contract.credentialsProve, ({ session, request, cookies }) =>
    credentials.prove(session, request, takeState(cookies)),
  );
  register(frame, contract.backupCodesRenew, ({ session, request }) =>
    credentials.backupCodes(session, request),
  );
  register(frame, contract.authenticatorRenew, ({ session, request }) =>
    credentials.authenticator(session, request),
  );
  register(frame, contract.authenticatorConfirm, async ({ session, request, cookies }) =>
    admitTo(cookies, await credentials.confirmAuthenticator(session, request)),
  );
  register(frame, contract.kitRenew, ({ session, request }) => credentials.kit(session, request));
  register(frame, contract.deviceRevoke, ({ session, request }) =>
    credentials.revokeDevice(session, request),
  );
  register(frame, contract.passphraseStart, ({ session, request }) =>
    credentials.startPassphrase(session, request),
  );
  register(frame, contract.passphraseRenew, async ({ session, request, cookies }) =>
    admitTo(cookies, await credentials.passphrase(session, request)),
  );
}
