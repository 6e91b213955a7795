import type * as Opaque from '@serenity-kit/opaque';
import { vi } from 'vitest';
import { logRead } from '$contract/vault-log.ts';
import type { VaultId } from '$contract/ids.ts';
import { fromB64Url } from '../../src/lib/bytes.ts';
import type { FoldedVault } from '../../src/lib/journal/state/folded-vault.ts';
import { decodeOperations } from '../../src/lib/journal/entries/operation-codec.ts';
import { MAX_OPERATIONS, type Operation } from '../../src/lib/journal/entries/operations.ts';
import { JournalKeys } from '../../src/lib/journal/journal-keys.ts';
import { unpadded } from '../../src/lib/journal/entries/segment-padding.ts';
import { Replica } from '../../src/lib/journal/replica.ts';
import { readSegment } from '../../src/lib/journal/entries/segment.ts';
import { connectBroker } from '../../src/lib/remote/broker.ts';
import { SessionProver } from '../../src/lib/remote/session-proof.ts';
import { createDevice } from '../../src/lib/store/device-record.ts';
import type { Entry } from '../../src/lib/session/entry/entry.ts';
import type { DeviceStore } from '../../src/lib/session/device-store.ts';
import { SignIn } from '../../src/lib/session/entry/sign-in.ts';
import { browserFetch } from '../support/node-person.ts';
import { quickOpaque } from '../support/quick-opaque.ts';
import type { Person } from './people.ts';

/** A journal from its genesis to its head: what was written, by whom, and what it comes to. */
export interface History {
  /** In their order; `writer` is a device's id, undefined for the identity key. */
  readonly operations: readonly { readonly writer: string | undefined; readonly operation: Operation }[];
  readonly segments: number;
  readonly state: FoldedVault;
}

/** Reads a person's whole journal in Node, from the log alone: nothing of a snapshot or of a copy goes in. */
export async function readHistory(origin: string, person: Person): Promise<History> {
  return (await followHistory(origin, person))();
}

/** Signs in once, with a code, and reads as often as it is asked. */
export async function followHistory(origin: string, person: Person): Promise<() => Promise<History>> {
  const fetch = browserFetch(origin);
  const broker = connectBroker(origin, new SessionProver(() => Promise.resolve(undefined)));
  const { keyring } = await through(fetch, () => signIn(person, new SignIn(broker, NOTHING_RESTS, Date.now)));
  const { vault, epoch, key: vaultKey } = keyring.vaultKey;
  const keys = await JournalKeys.derive(vault, [{ epoch, vaultKey }]);
  const root = { vault, account: keyring.account, identityPublicKey: keyring.identity.publicKey };
  const replica = new Replica({ keys, root });
  const operations: { writer: string | undefined; operation: Operation }[] = [];
  const read = async () => {
    for (;;) {
      const from = { from: String(replica.nextSeq) };
      const page = await broker.call(logRead, from, { vault: vault as VaultId });
      const segments = page.segments.map((segment) => fromB64Url(segment));
      if (segments.length === 0) return { operations, segments: replica.nextSeq, state: replica.state };
      for (const [index, bytes] of segments.entries()) {
        const { writer, content } = await readSegment(vault, keys.of, replica.nextSeq + index, bytes);
        const sequence = content.kind === 'opened' ? unpadded(content.plaintext) : undefined;
        for (const operation of decodeOperations(sequence ?? new Uint8Array(0), MAX_OPERATIONS).operations)
          operations.push({ writer, operation });
      }
      await replica.take(segments);
    }
  };
  return () => through(fetch, read);
}

/** Signs in from a device of its own, in Node. */
export function signInInNode(origin: string, person: Person): Promise<Entry> {
  const broker = connectBroker(origin, new SessionProver(() => Promise.resolve(undefined)));
  return through(browserFetch(origin), () => signIn(person, new SignIn(broker, NOTHING_RESTS, Date.now)));
}

/** Node's own would send no cookie. */
async function through<Result>(fetch: typeof globalThis.fetch, work: () => Promise<Result>): Promise<Result> {
  const plainFetch = globalThis.fetch;
  globalThis.fetch = fetch;
  try {
    return await work();
  } finally {
    globalThis.fetch = plainFetch;
  }
}

/** A device that knows of no account yet. */
const NOTHING_RESTS = {
  serverPublicKey: () => Promise.resolve(undefined),
  deviceFor: () => createDevice(),
  lockFor: () => Promise.resolve(undefined),
} as unknown as DeviceStore;

async function signIn({ userName, passphrase, authenticator }: Person, signing: SignIn): Promise<Entry> {
  // The account was made by a worker with that OPAQUE. Vitest forgets it with each file, and this module outlives them.
  vi.doMock('@serenity-kit/opaque', async (importOriginal) =>
    quickOpaque(await importOriginal<typeof Opaque>()),
  );
  await signing.start({ userName, passphrase });
  let entered: Entry | undefined;
  await signing.code({ code: await authenticator.code() }, (entry) => {
    entered = entry;
    return Promise.resolve();
  });
  if (!entered) throw new TypeError('expected an entry');
  return entered;
}
