import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EnvelopeRecord } from '$contract/envelope.ts';
import { parse } from 'valibot';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashBackupCode } from '../../src/lib/account/backup-codes.ts';
import { openKeyring, type OpenKeyring } from '../../src/lib/account/keyring.ts';
import {
  parseRecoveryWords,
  recoveryKeyPair,
  signRecoveryChallenge,
} from '../../src/lib/account/recovery.ts';
import { concat, toHex, type Bytes } from '../../src/lib/bytes.ts';
import { sha256 } from '../../src/lib/crypto/digest.ts';
import { openEnvelope } from '../../src/lib/crypto/envelope.ts';
import { generateDeviceKeyPair } from '../../src/lib/crypto/signing.ts';
import { Journal } from '../../src/lib/journal/journal.ts';
import { JournalKeys } from '../../src/lib/journal/journal-keys.ts';
import { loadSnapshot } from '../../src/lib/journal/snapshot.ts';
import type { Broker } from '../../src/lib/remote/broker.ts';
import { fromRecord } from '../../src/lib/vault/envelope-record.ts';
import { readContent, type StoredBlob } from '../../src/lib/transfer/download/opening.ts';
import { MemoryCache, MemoryRemote } from '../journal/memory-remote.ts';
import { idOf } from '../journal/world.ts';
import { fromHex, logOf } from './golden.ts';
import { describeJournal } from './golden-account.ts';
import { goldenJson, storedFiles } from './golden-files.ts';

const stored = storedFiles();
const golden = goldenJson();
const { account, vault, epoch } = golden;

let keyring: OpenKeyring;
let store: Server;

beforeAll(async () => {
  keyring = await openKeyring(stored.get('keyring')!, account, { exportKey: fromHex(golden.exportKeyHex) });
  // Blobs by ranges, as S3 gives them.
  store = createServer((request, response) => {
    const bytes = stored.get((request.url ?? '').slice(1));
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    response.writeHead(bytes ? 206 : 404).end(bytes?.subarray(Number(from), Number(to) + 1));
  });
  await new Promise<void>((resolve) => store.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  await new Promise((resolve) => store.close(resolve));
});

async function openJournal(): Promise<{ journal: Journal; remote: MemoryRemote }> {
  const remote = new MemoryRemote();
  remote.log.push(...logOf(stored));
  for (const [name, bytes] of stored) {
    if (name.startsWith('snapshots/')) remote.pages.set(name.slice('snapshots/'.length), bytes);
  }
  const { key: vaultKey } = keyring.vaultKey;
  const device = { id: idOf('device', 1), ...(await generateDeviceKeyPair()) };
  const identityPublicKey = keyring.identity.publicKey;
  const identity = { vault, account, vaultKeys: [{ epoch, vaultKey }], identityPublicKey, device };
  const journal = await Journal.open({ identity, remote, cache: new MemoryCache(), nowMs: () => 0 });
  return { journal, remote };
}

describe('the product opens the golden account of version 1:', () => {
  test('the keyring, with export key and kit', async () => {
    const recoveryEntropy = await parseRecoveryWords(golden.recoveryWords);
    const byKit = await openKeyring(stored.get('keyring')!, account, { recoveryEntropy });
    for (const open of [keyring, byKit]) {
      expect({
        version: open.version,
        userName: open.userName,
        serverPublicKey: open.serverPublicKey,
        accountKeyHex: toHex(open.accountKey),
        identityPublicKeyHex: toHex(open.identity.publicKey),
        sharingPrivateKeyHex: toHex(open.sharing.privateKey),
        vaultKeyHex: toHex(open.vaultKey.key),
      }).toEqual(golden.keyring);
      expect(open.vaultKey).toMatchObject({ vault, epoch });
    }
  });

  test('the kit and a backup code', async () => {
    const kit = await recoveryKeyPair(await parseRecoveryWords(golden.recoveryWords));
    expect(toHex(kit.publicKey)).toBe(golden.recoveryPublicKeyHex);
    const answer = await signRecoveryChallenge(kit, fromHex(golden.recoveryChallengeHex), 'recovery');
    expect(toHex(answer)).toBe(golden.recoveryAnswerHex);
    expect(toHex(await hashBackupCode(account, golden.backupCode))).toBe(golden.backupCodeHashHex);
  });

  test('the journal, and finds the same entries, versions and devices', async () => {
    const { journal } = await openJournal();
    expect(journal.problem).toBeUndefined();
    const { head, entries, devices, rest } = golden;
    expect(describeJournal(journal)).toEqual({ head, entries, devices, rest });
  });

  test('the snapshot, and finds it to be what the journal says', async () => {
    const { journal, remote } = await openJournal();
    const keys = await JournalKeys.derive(vault, [{ epoch, vaultKey: keyring.vaultKey.key }]);
    const root = { vault, account, identityPublicKey: keyring.identity.publicKey };
    const { head } = await loadSnapshot({ root, keys }, remote, journal.state.snapshot!, epoch);
    expect(head.seq).toBe(golden.rest.snapshotSeq);
    expect(journal.notes).toEqual([]);
  });

  const openKey = async (purpose: 'file' | 'inbox', blob: string, kmsHalfHex: string): Promise<Bytes> => {
    const json = Buffer.from(stored.get(`keys/${blob}/${String(epoch)}`)!).toString();
    const envelope = fromRecord(parse(EnvelopeRecord, JSON.parse(json)));
    const halves = { kmsHalf: fromHex(kmsHalfHex), vaultKey: keyring.vaultKey.key };
    return openEnvelope({ purpose, vault, blob, epoch, envelope, ...halves });
  };

  test('the private half of the inbox key', async () => {
    const { blob, kmsHalfHex, privateKeyHex } = golden.inbox;
    expect(toHex(await openKey('inbox', blob, kmsHalfHex))).toBe(privateKeyHex);
  });

  test.each(golden.blobs)(
    'a file of $sizeBytes bytes',
    async ({ blob, kmsHalfHex, contentKeyHex, sizeBytes, sha256Hex }) => {
      const contentKey = await openKey('file', blob, kmsHalfHex);
      expect(toHex(contentKey)).toBe(contentKeyHex);
      const { port } = store.address() as AddressInfo;
      const urls = [{ blob, url: `http://127.0.0.1:${String(port)}/blobs/${blob}` }];
      const broker = { call: () => Promise.resolve({ urls }) } as unknown as Broker;
      const version = golden.entries
        .flatMap(({ versions }) => versions ?? [])
        .find((each) => each.blob === blob);
      const where = { broker, vault } as unknown as Parameters<typeof readContent>[0];
      const content: Bytes[] = [];
      const parts = readContent(
        where,
        version as unknown as StoredBlob,
        contentKey,
        new AbortController().signal,
      );
      for await (const part of parts) content.push(new Uint8Array(part));
      const whole = concat(...content);
      expect(whole.length).toBe(sizeBytes);
      expect(toHex(await sha256(whole))).toBe(sha256Hex);
    },
  );
});
