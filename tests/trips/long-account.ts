import * as v from 'valibot';
import { type AccountEvent, eventFields, type Head } from '$contract/accounts.ts';
import { AccountId, BlobId, VaultId } from '$contract/ids.ts';
import { connectCloud } from '../../broker/aws/broker-clients.ts';
import { createAccounts } from '../../broker/domain/account/accounts.ts';
import { createEventLog } from '../../broker/domain/state/event-log.ts';
import { lengthPrefixed } from '../../broker/domain/state/length-prefixed.ts';
import { sha256B64url } from '../../broker/domain/state/record-codec.ts';
import { createRecords } from '../../broker/domain/state/records.ts';
import { loadSetup } from '../../broker/domain/state/setup.ts';
import { stateKeys } from '../../broker/domain/state/state-keys.ts';
import { createVaultRecords } from '../../broker/domain/vault/vault-record.ts';
import { LocalCloudLine, localCloud } from '../../broker/entry/settings.ts';
import { toB64Url } from '../../src/lib/bytes.ts';
import { Journal } from '../../src/lib/journal/journal.ts';
import type { JournalCache } from '../../src/lib/journal/ports.ts';
import { ROOT } from '../../src/lib/journal/entries/operations.ts';
import { randomId } from '../../src/lib/crypto/random.ts';
import type { Entry } from '../../src/lib/session/entry/entry.ts';
import { joinJournal } from '../../src/lib/session/entry/joining.ts';
import { MemoryRemote } from '../journal/memory-remote.ts';
import type { Stack } from '../support/stack.ts';

/** Objects written at a time. */
const LANES = 64;
/** The journal is read from the store once, and forgotten. */
const NOWHERE: JournalCache = { load: () => Promise.resolve(undefined), save: () => Promise.resolve() };

/**
 * Gives an account a past: a journal of so many segments more, with its snapshots, and so many events more, written
 * where they rest by the modules that write them, without the requests that they would have taken. No broker may be
 * running meanwhile.
 * @param entry of a device that has just signed in
 */
export async function growOld(
  { cloud }: Pick<Stack, 'cloud'>,
  entry: Entry,
  past: { readonly segments: number; readonly events: number },
): Promise<void> {
  const ports = connectCloud({ ...localCloud(v.parse(LocalCloudLine, cloud)), s3PublicUrl: undefined });
  try {
    await growJournal(ports, entry, past.segments);
    await growEvents(ports, entry, past.events);
  } finally {
    ports.close();
  }
}

type Ports = ReturnType<typeof connectCloud>;

async function growJournal(ports: Ports, { keyring, device }: Entry, more: number): Promise<void> {
  const { account, identity } = keyring;
  const vault = v.parse(VaultId, keyring.vaultKey.vault);
  const remote = new MemoryRemote();
  for (;;) {
    const bytes = await ports.vaultObjects.read(vault, `log/${String(remote.log.length)}`);
    if (!bytes) break;
    remote.log.push(new Uint8Array(bytes));
  }
  const before = remote.log.length;
  const vaultKeys = [{ epoch: keyring.vaultKey.epoch, vaultKey: keyring.vaultKey.key }];
  const journal = await Journal.open({
    identity: { vault, account, vaultKeys, identityPublicKey: identity.publicKey, device },
    ...{ remote, cache: NOWHERE, nowMs: Date.now },
  });
  await joinJournal(journal, { keyring, device }, 'A device of long ago');
  const folder = randomId();
  await journal.append(() => [{ kind: 'folder-add', folder, parent: ROOT, name: 'Renamed again and again' }]);
  for (let index = 0; index < more; index++) {
    await journal.append(() => [{ kind: 'rename', entry: folder, name: `Renamed ${String(index)} times` }]);
  }
  await journal.flush();
  const objects = [
    ...remote.log.slice(before).map((bytes, index) => ({ key: `log/${String(before + index)}`, bytes })),
    ...[...remote.pages].map(([name, bytes]) => ({ key: `snapshots/${name}`, bytes })),
  ];
  await inLanes(objects, ({ key, bytes }) => ports.vaultObjects.create(vault, key, bytes));
  const { codec } = await loadSetup(ports.state, ports.kms);
  const head: Head = { seq: journal.head.seq, hash: toB64Url(journal.head.hash) };
  const { snapshot } = journal.state;
  const named = snapshot && {
    snapshot: { seq: snapshot.seq, pages: snapshot.pages.map(({ page }) => v.parse(BlobId, page)) },
    isBase: false,
  };
  await createVaultRecords(createRecords(ports.state, codec)).advance(vault, head, [], Date.now(), named);
}

async function growEvents(ports: Ports, { keyring }: Entry, more: number): Promise<void> {
  const account = v.parse(AccountId, keyring.account);
  const { setup, codec } = await loadSetup(ports.state, ports.kms);
  const head = await createEventLog(ports.state, codec, Date.now).head(account);
  if (!head) throw new TypeError('expected an account with events');
  const objects: { key: string; bytes: Uint8Array }[] = [];
  let last = head;
  for (let index = 0; index < more; index++) {
    const { seq, hash: prevHash } = last;
    const event: Omit<AccountEvent, 'hash'> = { seq: seq + 1, atMs: Date.now(), kind: 'granted', prevHash };
    const key = stateKeys.event(account, event.seq);
    objects.push({ key, bytes: codec.encode(key, 0, event) });
    last = { seq: event.seq, hash: sha256B64url(lengthPrefixed(...eventFields(account, event))) };
  }
  await inLanes(objects, ({ key, bytes }) => ports.state.create(key, bytes));
  // As the last code of that past would have left it.
  const accounts = createAccounts(createRecords(ports.state, codec), setup.nameKey);
  await accounts.update(account, (record) => ({ ...record, events: last }));
}

async function inLanes<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item);
    }),
  );
}
