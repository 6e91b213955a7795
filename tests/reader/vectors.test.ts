import { readdirSync, readFileSync } from 'node:fs';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import * as opaque from '@serenity-kit/opaque';
import { describe, expect, test } from 'vitest';
import { startRegistration } from '../../src/lib/account/opaque.ts';
import { padded } from './content.ts';
import { openFloe } from './floe.ts';
import { fromHex } from './golden.ts';
import { headPhrase, readJournal, type Known } from './journal.ts';
import { readKeyring } from './keyring.ts';
import { exportKeyOf, startOpaqueLogin, type OpaqueVector } from './opaque.ts';
import { derive, equal, sha256, type Bytes } from './primitives.ts';
import { openPages, readState } from './snapshot.ts';
import { encodeState } from './state-bytes.ts';

const VECTORS = new URL('../vectors/', import.meta.url);
const bytesOf = (name: string): Bytes => new Uint8Array(readFileSync(new URL(name, VECTORS)));
const jsonOf = (name: string): unknown => JSON.parse(readFileSync(new URL(name, VECTORS), 'utf8'));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('derives what derivations.json says', () => {
  const answers = jsonOf('derivations.json') as {
    purpose: string;
    ikm: string;
    salt: string;
    ids: (string | { hex: string })[];
    key: string;
  }[];
  for (const { purpose, ikm, salt, ids, key } of answers) {
    const fields = ids.map((id) => (typeof id === 'string' ? id : fromHex(id.hex)));
    expect(hex(derive(fromHex(ikm), fromHex(salt), purpose, ...fields))).toBe(key);
  }
});

test('opens the FLOE ciphertexts of the suite', () => {
  const answers = jsonOf('floe/seg524288.json') as {
    file: string;
    key: string;
    aad: string;
    plaintextLength: number;
    plaintextSha256: string;
  }[];
  for (const { file, key, aad, plaintextLength, plaintextSha256 } of answers) {
    const plaintext = openFloe(fromHex(key), fromHex(aad), bytesOf(`floe/${file}`));
    expect([plaintext.length, hex(sha256(plaintext))]).toEqual([plaintextLength, plaintextSha256]);
  }
});

test('comes from a passphrase to the export key of opaque-v1.json', async () => {
  const vector = jsonOf('opaque-v1.json') as OpaqueVector;
  expect(hex(await exportKeyOf(vector))).toBe(vector.exportKeyHex);
});

test('comes to the same export key as the product, at any server', async () => {
  await opaque.ready;
  const [passphrase, credentialIdentifier] = ['Gru\u0308n-vi\u0301a-mond-\ufb01sch', 'somebody'];
  const serverSetup = opaque.server.createSetup();
  const registration = await startRegistration(passphrase);
  const { registrationRequest } = registration;
  const answer = opaque.server.createRegistrationResponse({
    ...{ serverSetup, registrationRequest },
    userIdentifier: credentialIdentifier,
  });
  const { registrationRecord, exportKey } = registration.finish(answer.registrationResponse);
  const vector = { passphrase, credentialIdentifier, serverSetup, registrationRecord, exportKeyHex: '' };
  expect(hex(await exportKeyOf(vector))).toBe(hex(exportKey));
});

test('signs in at the server with the passphrase alone, and has the export key and the server’s own that the product has', async () => {
  await opaque.ready;
  const [passphrase, userIdentifier] = ['Gru\u0308n-vi\u0301a-mond-\ufb01sch', 'somebody'];
  const serverSetup = opaque.server.createSetup();
  const registration = await startRegistration(passphrase);
  const { registrationResponse } = opaque.server.createRegistrationResponse({
    ...{ serverSetup, userIdentifier, registrationRequest: registration.registrationRequest },
  });
  const { registrationRecord, exportKey, serverPublicKey } = registration.finish(registrationResponse);
  const begin = (typed: string) => {
    const login = startOpaqueLogin(typed);
    const { startLoginRequest } = login;
    const answered = opaque.server.startLogin({
      ...{ serverSetup, userIdentifier, registrationRecord, startLoginRequest },
    });
    return { login, ...answered };
  };
  const { login, loginResponse, serverLoginState } = begin(passphrase);
  const proven = await login.finish(loginResponse);
  expect(proven).toMatchObject({ exportKey, serverPublicKey });
  const finishLoginRequest = proven?.finishLoginRequest ?? '';
  expect(opaque.server.finishLogin({ serverLoginState, finishLoginRequest }).sessionKey).toBeDefined();
  const wrong = begin('another passphrase');
  expect(await wrong.login.finish(wrong.loginResponse)).toBeUndefined();
});

test('has BIP39’s list, by the hash that docs/FORMAT.md gives', () => {
  const list = Uint8Array.from(Buffer.from(wordlist.map((word) => `${word}\n`).join('')));
  expect(hex(sha256(list))).toBe('2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda');
});

test.each([
  [0, 1],
  [1, 1],
  [2, 2],
  [9, 10],
  [100, 104],
  [257, 272],
  [1000, 1024],
  [65_537, 67_584],
  [1_000_000, 1_015_808],
  [8_388_609, 8_650_752],
  [5_000_000_000, 5_033_164_800],
])('pads %i bytes to %i, as docs/FORMAT.md says', (sizeBytes, expected) => {
  expect(padded(sizeBytes)).toBe(expected);
});

test('opens the keyring of keyring-v1.json', () => {
  const golden = jsonOf('keyring-v1.json') as Record<string, string>;
  const at = (name: string): Bytes => fromHex(golden[name] ?? '');
  const openers = [{ exportKey: at('exportKeyHex') }, { recoveryEntropy: at('recoveryEntropyHex') }];
  for (const opener of openers) {
    const keyring = readKeyring(at('bytesHex'), golden['account'] ?? '', opener);
    expect(hex(keyring.accountKey)).toBe(golden['accountKeyHex']);
    expect(hex(keyring.sharingPrivateKey)).toBe(golden['sharingPrivateKeyHex']);
    expect(hex(keyring.vaultKey)).toBe(golden['vaultKeyHex']);
    expect(keyring.userName).toBe(golden['userName']);
  }
});

describe('the golden journal of journal-v1', () => {
  const keys = jsonOf('journal-v1/keys.json') as Known & Record<string, string>;
  const expected = jsonOf('journal-v1/expected.json') as {
    head: { phrase: string };
    entries: { id: string; folder: string; name: string; tags: string[] }[];
    files: { file: string; versions: unknown[] }[];
    unpurged: string[];
    skippedOperations: number;
  };
  const known: Known = {
    ...keys,
    vaultKey: fromHex(keys['vaultKeyHex'] ?? ''),
    identityPublicKey: fromHex(keys['identityPublicKeyHex'] ?? ''),
  };
  const count = readdirSync(new URL('journal-v1/log/', VECTORS)).length;
  const log = Array.from({ length: count }, (_, seq) => bytesOf(`journal-v1/log/${String(seq)}`));

  test('folds to what is expected', () => {
    const { state, head, refusal } = readJournal(known, log);
    expect(refusal).toBeUndefined();
    expect(headPhrase(head!)).toBe(expected.head.phrase);
    const shown = [...state.entries.values()].filter(({ id }) => !state.hidden.has(id));
    expect(shown.map(({ id, folder, name, tags }) => ({ id, folder, name, tags }))).toEqual(
      expected.entries.map(({ id, folder, name, tags }) => ({ id, folder, name, tags })),
    );
    for (const { file, versions } of expected.files) {
      expect(state.entries.get(file)?.versions?.toReversed()).toEqual(versions);
    }
    expect([...state.unpurged]).toEqual(expected.unpurged);
    expect(state.skipped).toBe(expected.skippedOperations);
  });

  test('has a snapshot of the same bytes as its log comes to', () => {
    const encoded: Bytes[] = [];
    const { state } = readJournal(known, log, (at, head) => {
      encoded[head.seq] = encodeState(at, head);
    });
    const snapshot = state.snapshot!;
    const bytes = openPages(known, snapshot, (page) =>
      bytesOf(`journal-v1/snapshots/${String(snapshot.seq)}/${page}`),
    );
    expect(equal(bytes, encoded[snapshot.seq]!)).toBe(true);
    expect(readState(known, snapshot, bytes).entries.size).toBeGreaterThan(0);
  });
});
