import { beforeAll, describe, expect, test } from 'vitest';
import { fromUtf8, toHex, type Bytes } from '../../src/lib/bytes.ts';
import type { Envelope } from '../../src/lib/crypto/envelope.ts';
import { generateDeviceKeyPair } from '../../src/lib/crypto/signing.ts';
import { draftEpoch, openDraft } from '../../src/lib/inbox/draft.ts';
import { openInboxKey, type InboxPrivateKey } from '../../src/lib/inbox/keys.ts';
import { openRecord, readRecord } from '../../src/lib/inbox/record.ts';
import { operationsToAdopt } from '../../src/lib/journal/adoption.ts';
import { Journal } from '../../src/lib/journal/journal.ts';
import { JournalKeys } from '../../src/lib/journal/journal-keys.ts';
import { loadSnapshot } from '../../src/lib/journal/snapshot.ts';
import { fromRecord } from '../../src/lib/vault/envelope-record.ts';
import { fromHex } from '../crypto/hex.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { MemoryCache, MemoryRemote } from '../journal/memory-remote.ts';
import { idOf } from '../journal/world.ts';
import { describeInbox } from './golden-making.ts';
import { GOLDEN, goldenObjects } from './golden-objects.ts';

const { vault, account, epoch } = GOLDEN;
const vaultKey = fromHex(GOLDEN.vaultKeyHex);
const identityPublicKey = fromHex(GOLDEN.identityPublicKeyHex);

let objects: ReadonlyMap<string, Bytes>;
let remote: MemoryRemote;
let journal: Journal;
let pairs: { key: InboxPrivateKey; kmsHalf: Bytes }[];
beforeAll(async () => {
  objects = await goldenObjects();
  remote = new MemoryRemote();
  for (let seq = 0; objects.has(`log/${String(seq)}`); seq++)
    remote.log.push(objects.get(`log/${String(seq)}`)!);
  for (const [name, bytes] of objects) {
    if (name.startsWith('snapshots/')) remote.pages.set(name.slice('snapshots/'.length), bytes);
  }
  const device = { id: idOf('device', 1), ...(await generateDeviceKeyPair()) };
  const identity = { vault, account, vaultKeys: [{ epoch, vaultKey }], identityPublicKey, device };
  journal = await Journal.open({ identity, remote, cache: new MemoryCache(), nowMs: () => 0 });
  pairs = await Promise.all(
    journal.state.inboxKeys.map(async (inbox, index) => {
      const kmsHalf = fromHex(GOLDEN.inboxKeys[index]!.kmsHalfHex);
      const json = fromUtf8(objects.get(`keys/${inbox.blob}/${String(epoch)}`)!);
      const envelope: Envelope = fromRecord(JSON.parse(json) as Parameters<typeof fromRecord>[0]);
      return { key: await openInboxKey({ vault, epoch, vaultKey, kmsHalf, envelope }, inbox), kmsHalf };
    }),
  );
});

describe('the golden inbox of version 1', () => {
  test('has a journal whose keys, retired and live, and erased ids are found', () => {
    const { head, inboxKeys, files, rest } = GOLDEN;
    expect(journal.problem).toBeUndefined();
    expect(describeInbox(journal, pairs)).toEqual({ head, inboxKeys, files, rest });
  });

  test('has a snapshot that says what the log says up to there', async () => {
    const keys = await JournalKeys.derive(vault, [{ epoch, vaultKey }]);
    const root = { vault, account, identityPublicKey };
    const { state } = await loadSnapshot({ root, keys }, remote, journal.state.snapshot!, epoch);
    expect([...state.erased]).toEqual(GOLDEN.rest.erased);
    expect(journal.notes).toEqual([]);
  });

  const recordOf = (blob: string) =>
    [...objects].find(([name]) => name.startsWith('inbox/') && name.endsWith(`/${blob}`))![1];
  const read = (blob: string) => readRecord(journal.state, vault, blob, recordOf(blob));
  const refused = GOLDEN.records.flatMap((record) => ('refused' in record ? [record] : []));
  const captured = GOLDEN.records.flatMap((record) => ('refused' in record ? [] : [record]));

  test.each(refused)('has a record beside $blob that is refused as $refused', async ({ blob, refused }) => {
    expect(await refusalCode(read(blob))).toBe(refused);
  });

  test.each(captured)('has a record beside $blob that holds what was captured', async (record) => {
    const { blob } = record;
    const signed = await read(blob);
    const { contentKey, ...file } = await openRecord(signed, { vault, blob }, pairs[signed.inboxEpoch]!.key);
    expect({ ...file, contentKeyHex: toHex(contentKey) }).toEqual(record.captured);
    const isAdopted = GOLDEN.files.some(({ blobs }) => blobs.includes(blob));
    expect(operationsToAdopt(journal.state, [file])).toHaveLength(isAdopted ? 0 : 1);
  });

  test.each(GOLDEN.drafts)('has a draft of $name', async ({ contentKeyHex, ...expected }) => {
    const bytes = objects.get(`drafts/${expected.blob}`)!;
    const { key } = pairs[draftEpoch(bytes)]!;
    const { contentKey, ...draft } = await openDraft(bytes, { vault, blob: expected.blob }, key);
    expect({ ...draft, contentKeyHex: toHex(contentKey) }).toEqual({ ...expected, contentKeyHex });
  });
});
