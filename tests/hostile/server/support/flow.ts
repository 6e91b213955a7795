import { createHash } from 'node:crypto';
import type { Factor } from '$contract/ids.ts';
import type { Route } from '$contract/route.ts';
import type { AccountClient } from '../../../support/account-client.ts';

/** Somebody with a browser that may be pointed at any broker. */
export interface Person {
  readonly userName: string;
  readonly client: AccountClient;
  /** A browser more of the same person, signed in nowhere. */
  another(): AccountClient;
  /** Lets time go by. */
  pass(seconds: number): void;
}

/** What a client does over several requests, and goes on with after a failure. */
export interface Flow {
  readonly name: string;
  /** Over a network on which nothing goes wrong. */
  prepare(person: Person): Promise<Prepared>;
}

interface Prepared {
  /** Once through, or from where the try before ended. @throws Error when a request is refused or unanswered */
  attempt(): Promise<void>;
  /** What must be true once an attempt has succeeded, at a broker that has seen nothing of it. */
  check(): Promise<void>;
}

export const PASSPHRASE = 'correct horse battery';
export const b64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

/** The next code; once it may have been taken, a backup code stands for it, so that no time has to pass. */
function factorsOf(client: AccountClient): () => Promise<Factor> {
  let used = 0;
  return async () => {
    const backupCode = client.backupCodes[used - 1];
    used += 1;
    return (backupCode === undefined ? { code: await client.code(1) } : { backupCode }) as Factor;
  };
}

/** Signed up over a calm network, with the sign-up's own grant. */
export async function signedUp({ client, userName }: Person) {
  const { grant } = await client.signUp(userName, PASSPHRASE);
  return { grant: grant.id, factor: factorsOf(client) };
}

/** The code that a request is refused with; undefined when it is not. */
export const codeOf = async (client: AccountClient, route: Route, request: unknown) =>
  (await client.call(route, request)).code;
