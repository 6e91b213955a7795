import type { Bytes } from '../bytes.ts';
import { toFailure, type Failure } from '../protocol/failure.ts';
import { startLogin, startRegistration } from './opaque.ts';

/** What the worker that runs OPAQUE is told: one flow, in two steps. */
export type ToOpaque =
  | { readonly kind: 'login' | 'registration'; readonly passphrase: string }
  | { readonly kind: 'finish'; readonly response: string; readonly pinnedServerKey: string | undefined };

/** What it says: the message to the broker, then what the flow leaves behind; or why there is none. */
export type FromOpaque =
  | { readonly kind: 'begun'; readonly request: string }
  | { readonly kind: 'finished'; readonly outcome: OpaqueOutcome }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface OpaqueOutcome {
  /** The next message to the broker: the third of a login, or the record of a registration. */
  readonly message: string;
  /** 64 bytes, the receiver's to wipe. */
  readonly exportKey: Bytes;
  readonly serverPublicKey: string;
}

/** One flow of OPAQUE, step by step as it is told. */
export function serveOpaque(
  post: (message: FromOpaque, transfer?: Transferable[]) => void,
): (event: MessageEvent<ToOpaque>) => Promise<void> {
  let finish: (response: string, pinnedServerKey?: string) => OpaqueOutcome = () => {
    throw new TypeError('expected a flow that was begun');
  };
  return async ({ data }) => {
    try {
      if (data.kind === 'finish') {
        const outcome = finish(data.response, data.pinnedServerKey);
        post({ kind: 'finished', outcome }, [outcome.exportKey.buffer]);
      } else {
        const begun = await begin(data.kind, data.passphrase);
        ({ finish } = begun);
        post({ kind: 'begun', request: begun.request });
      }
    } catch (error) {
      post({ kind: 'failed', failure: toFailure(error) });
    }
  };
}

async function begin(
  kind: 'login' | 'registration',
  passphrase: string,
): Promise<{
  readonly request: string;
  readonly finish: (response: string, pinnedServerKey?: string) => OpaqueOutcome;
}> {
  if (kind === 'login') {
    const login = await startLogin(passphrase);
    return {
      request: login.startLoginRequest,
      finish(response, pinnedServerKey) {
        const { finishLoginRequest: message, ...rest } = login.finish(response, pinnedServerKey);
        return { message, ...rest };
      },
    };
  }
  const registration = await startRegistration(passphrase);
  return {
    request: registration.registrationRequest,
    finish(response, pinnedServerKey) {
      const { registrationRecord: message, ...rest } = registration.finish(response, pinnedServerKey);
      return { message, ...rest };
    },
  };
}
