import { signinStart } from '$contract/accounts.ts';
import { beginLogin } from '../../account/opaque-worker.ts';
import type { Bytes } from '../../bytes.ts';
import { HalfkeyError } from '../../errors.ts';
import type { Broker } from '../../remote/broker.ts';
import { parseUserName } from './user-name.ts';

/** What OPAQUE's first two messages prove to this side, and the third that would prove it to the broker. */
export interface PassphraseProof {
  readonly finishLoginRequest: string;
  /** 64 bytes. */
  readonly exportKey: Bytes;
}

/**
 * Sees by OPAQUE's first two messages that this is the account's passphrase: what its answer opens to is proof enough
 * for this side, and as long as the third is not sent the session stays the one that it is.
 *
 * @param serverPublicKey the pinned one
 * @throws {HalfkeyError} `passphrase_wrong`; `session_missing` where an earlier build did not keep the user name;
 *   `server_unknown`; `too_many_requests`, and what is unreachable
 */
export async function provePassphrase(
  passphrase: string,
  { userName, serverPublicKey }: { readonly userName: string; readonly serverPublicKey: string },
  broker: Broker,
): Promise<PassphraseProof> {
  if (userName === '') {
    throw new HalfkeyError('session_missing', 'the user name was not kept here: sign in once more');
  }
  using login = await beginLogin(passphrase);
  const request = { userName: parseUserName(userName), startLoginRequest: login.request };
  const { loginResponse } = await broker.call(signinStart, request);
  try {
    const { message, exportKey } = await login.finish(loginResponse, serverPublicKey);
    return { finishLoginRequest: message, exportKey };
  } catch (error) {
    if (!(error instanceof HalfkeyError) || error.code !== 'login_refused') throw error;
    throw new HalfkeyError('passphrase_wrong', "this is not the account's passphrase");
  }
}
