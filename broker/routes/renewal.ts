import * as contract from '../contract/renewal.ts';
import type { createRenewal } from '../domain/account/renewal.ts';
import { admitTo, takeState } from './accounts.ts';
import { type Frame, register } from './frame.ts';

/** Everything in contract/renewal.ts. */
export function createRenewalRoutes(frame: Frame, renewal: ReturnType<typeof createRenewal>): void {
  register(frame, contract.renewalProve, ({ session, request, cookies }) =>
    renewal.prove(session, request, takeState(cookies)),
  );
  register(frame, contract.backupCodesRenew, ({ session, request }) => renewal.backupCodes(session, request));
  register(frame, contract.authenticatorRenew, ({ session, request }) =>
    renewal.authenticator(session, request),
  );
  register(frame, contract.authenticatorConfirm, async ({ session, request, cookies }) =>
    admitTo(cookies, await renewal.confirmAuthenticator(session, request)),
  );
  register(frame, contract.kitRenew, ({ session, request }) => renewal.kit(session, request));
  register(frame, contract.deviceRevoke, ({ session, request }) => renewal.revokeDevice(session, request));
  register(frame, contract.passphraseStart, ({ session, request }) =>
    renewal.startPassphrase(session, request),
  );
  register(frame, contract.passphraseRenew, async ({ session, request, cookies }) =>
    admitTo(cookies, await renewal.passphrase(session, request)),
  );
}
