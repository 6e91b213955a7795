import type { Grant } from '$contract/accounts.ts';
import type { VaultId } from '$contract/ids.ts';
import { connectBroker, type Broker } from '../../src/lib/remote/broker.ts';
import { SessionProver } from '../../src/lib/remote/session-proof.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { InboxUse } from '../../src/lib/inbox/inbox-use.ts';
import type { Journal } from '../../src/lib/journal/journal.ts';
import { openJournal } from '../../src/lib/session/entry/joining.ts';
import type { OpenVault } from '../../src/lib/vault/open-vault.ts';
import { SignUp } from '../../src/lib/session/entry/sign-up.ts';
import type { Entry } from '../../src/lib/session/entry/entry.ts';
import { openDatabase } from '../../src/lib/store/database.ts';
import { Authenticator } from './authenticator.ts';
import type { Servers } from './stack.ts';
import { memoryOwnKeys } from './own-inbox-keys.ts';

/**
 * Somebody who has signed up with the client's own code, in Node: their session, their device, and what a code bought.
 */
export interface NodePerson {
  readonly broker: Broker;
  readonly entry: Entry;
  readonly grant: Grant;
  readonly authenticator: Authenticator;
  /** The vault as this device has it; `isOpen` says whether the grant is at hand. */
  vault(broker: Broker, journal: Journal, isOpen: () => boolean): OpenVault;
  journal(broker: Broker): Promise<Journal>;
}

/** Node's fetch has no cookies and no origin: a browser adds both. */
export function browserFetch(origin: string): typeof fetch {
  const plain = globalThis.fetch;
  const cookies = new Map<string, string>();
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== origin) return plain(input, init);
    const headers = new Headers(init?.headers);
    headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    if (init?.method === 'POST') {
      headers.set('origin', origin);
      headers.set('sec-fetch-site', 'same-origin');
    }
    const response = await plain(url, { ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    return response;
  };
}

/** `globalThis.fetch` must be a `browserFetch` of this origin. */
export async function signUpInNode({ origin, clock }: Servers, userName: string): Promise<NodePerson> {
  const broker = connectBroker(origin, new SessionProver(() => Promise.resolve(undefined)));
  const signUp = new SignUp(broker, Date.now);
  const passphrase = 'zebra-quick-violin-under-major-pond';
  const { totpSecret } = await signUp.start({ userName, passphrase });
  const authenticator = new Authenticator(totpSecret, clock);
  let entered: Entry | undefined;
  await signUp.verify(await authenticator.code(), (entry) => {
    entered = entry;
    return Promise.resolve();
  });
  const entry = entered;
  const grant = entry?.signedIn.grant;
  if (!entry || !grant) throw new TypeError('expected a grant at sign-up');
  const { keyring, device } = entry;
  const { vault, epoch, key: vaultKey } = keyring.vaultKey;
  const own = memoryOwnKeys({ vault, device: device.id });
  return {
    broker,
    entry,
    grant,
    authenticator,
    vault: (through, journal, isOpen) => ({
      vault: vault as VaultId,
      epoch,
      vaultKey,
      broker: through,
      journal,
      inboxUse: new InboxUse(journal, () => Promise.resolve([]), own),
      device,
      requireGrant: () => {
        if (isOpen()) return grant.id;
        throw new HalfkeyError('locked', 'no grant is live');
      },
      takeReleased: () => undefined,
      releasesPerCode: () => 100,
    }),
    async journal(through) {
      const database = await openDatabase(() => undefined);
      const { account, accountKey, serverPublicKey, userName, version, hash } = keyring;
      const record = {
        ...{ account, vault, epoch, accountKey, vaultKey, serverPublicKey, userName },
        ...{ identityPublicKey: keyring.identity.publicKey, keyring: { version, hash } },
      };
      return openJournal({ device, account: record }, { broker: through, database, nowMs: Date.now });
    },
  };
}
