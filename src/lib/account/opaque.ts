import { fromB64Url, type Bytes } from '../bytes.ts';
import { HalfkeyError } from '../errors.ts';
import { loaded } from './loaded.ts';
import { normalisePassphrase } from './passphrase.ts';

/**
 * Argon2id between the passphrase and OPAQUE's secrets (RFC 9807 §6.3.2): 64 MiB (`memory` is in KiB), three passes,
 * four lanes. RFC 9106 §4 names it as the second choice; its first, 2 GiB, kills a phone's tab. Fixed here: no answer
 * of the broker can lower it, because none of its messages carries parameters and nothing else is ever passed to the
 * library.
 */
const KEY_STRETCHING = { 'argon2id-custom': { memory: 65_536, iterations: 3, parallelism: 4 } } as const;

const EXPORT_KEY_BYTES = 64;

/** What either flow leaves on the client. */
interface OpaqueResult {
  /** 64 bytes that nobody but a holder of the passphrase can have, and only together with the broker's OPRF. */
  readonly exportKey: Bytes;
  /** The server's static public key, base64url: what is pinned. */
  readonly serverPublicKey: string;
}

export interface Registration {
  /** First message to the broker. */
  readonly registrationRequest: string;
  /**
   * @param pinnedServerKey undefined where this client has met no server yet
   * @throws {HalfkeyError} `server_unknown` for another key than the pinned one; `login_refused` for a malformed answer
   */
  finish(
    registrationResponse: string,
    pinnedServerKey?: string,
  ): OpaqueResult & { readonly registrationRecord: string };
}

export interface Login {
  /** First message to the broker. */
  readonly startLoginRequest: string;
  /**
   * @param pinnedServerKey undefined where this client has met no server yet
   * @throws {HalfkeyError} `login_refused`: wrong passphrase, unknown user, and a record made with other parameters
   *   look the same; `server_unknown` for another key than the pinned one
   */
  finish(
    loginResponse: string,
    pinnedServerKey?: string,
  ): OpaqueResult & { readonly finishLoginRequest: string };
}

/** Begins OPAQUE's registration (RFC 9807 §5). */
export async function startRegistration(passphrase: string): Promise<Registration> {
  const { client } = await loadOpaque();
  const password = normalisePassphrase(passphrase);
  const { clientRegistrationState, registrationRequest } = client.startRegistration({ password });
  return {
    registrationRequest,
    finish(registrationResponse, pinnedServerKey) {
      const result = refusing(() =>
        client.finishRegistration({
          clientRegistrationState,
          registrationResponse,
          password,
          keyStretching: KEY_STRETCHING,
        }),
      );
      const { registrationRecord } = result;
      return { registrationRecord, ...checked(result, pinnedServerKey) };
    },
  };
}

/** Begins OPAQUE's login (RFC 9807 §6). */
export async function startLogin(passphrase: string): Promise<Login> {
  const { client } = await loadOpaque();
  const password = normalisePassphrase(passphrase);
  const { clientLoginState, startLoginRequest } = client.startLogin({ password });
  return {
    startLoginRequest,
    finish(loginResponse, pinnedServerKey) {
      const result = refusing(() =>
        client.finishLogin({
          clientLoginState,
          loginResponse,
          password,
          keyStretching: KEY_STRETCHING,
        }),
      );
      const { finishLoginRequest } = result;
      return { finishLoginRequest, ...checked(result, pinnedServerKey) };
    },
  };
}

/** 158 kB of WebAssembly that only these flows need. */
async function loadOpaque() {
  const opaque = await loaded(import('@serenity-kit/opaque'));
  await opaque.ready;
  return opaque;
}

/**
 * The library yields undefined for a login that does not fit, and throws for messages that are none: neither is told
 * apart.
 */
function refusing<Result>(run: () => Result | undefined): Result {
  let result: Result | undefined;
  try {
    result = run();
  } catch {
    // Its message could quote what it was given.
  }
  if (result === undefined) throw new HalfkeyError('login_refused', 'user name and passphrase do not match');
  return result;
}

function checked(
  { exportKey, serverStaticPublicKey }: { exportKey: string; serverStaticPublicKey: string },
  pinnedServerKey: string | undefined,
): OpaqueResult {
  if (pinnedServerKey !== undefined && pinnedServerKey !== serverStaticPublicKey) {
    throw new HalfkeyError('server_unknown', 'the server has another public key than the pinned one');
  }
  const bytes = fromB64Url(exportKey);
  if (bytes.length !== EXPORT_KEY_BYTES) {
    throw new RangeError(`expected an export key of 64 bytes, got ${String(bytes.length)}`);
  }
  return { exportKey: bytes, serverPublicKey: serverStaticPublicKey };
}
