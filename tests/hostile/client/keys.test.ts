import { signinStart } from '$contract/accounts.ts';
import { beforeAll, expect } from 'vitest';
import { openKeyring } from '../../../src/lib/account/keyring.ts';
import { startLogin } from '../../../src/lib/account/opaque.ts';
import { parseRecoveryWords } from '../../../src/lib/account/recovery.ts';
import { concat, fromB64Url, toB64Url, utf8, type Bytes } from '../../../src/lib/bytes.ts';
import { openEnvelope } from '../../../src/lib/crypto/envelope.ts';
import { derivationInfo, deriveKey } from '../../../src/lib/crypto/hkdf.ts';
import { randomBytes } from '../../../src/lib/crypto/random.ts';
import { fromRecord } from '../../../src/lib/vault/envelope-record.ts';
import { Client } from '../support/client.ts';
import { changing } from '../support/node-browser.ts';
import { row } from '../support/row.ts';
import { flipped, newSubject, randomOf, type Subject } from '../support/subject.ts';
import { setUpHostileWorld } from '../support/world.ts';

// Group B: a broker that hands out other keys, halves and wraps than those that were made.

interface ReleasedKey {
  readonly envelope: {
    readonly salt: string;
    readonly kmsBlob: string;
    readonly sealedKey: string;
    readonly epoch: number;
  };
  readonly kmsHalf: string;
}
interface Release {
  readonly keys: readonly ReleasedKey[];
}

const RELEASE = /\/keys\/release$/;
const world = setUpHostileWorld();
let ada: Client;
let subject: Subject;
let released: ReleasedKey;

beforeAll(async () => {
  ada = await Client.signUp(world, 'ada');
  subject = await newSubject(ada, 'one.bin', utf8('the heron stands in the third field'));
  ada.browser.hook = changing(RELEASE, (answer) => {
    released = (answer as unknown as Release).keys[0]!;
    return answer;
  });
  await ada.read(subject.file);
  ada.browser.hook = undefined;
});

/** Reads the file while the broker says something else of its key. Whatever comes of it, nothing here has changed. */
async function readWith(change: (key: ReleasedKey) => unknown): Promise<Bytes> {
  const { head } = ada.journal;
  const saves = ada.cache.saves;
  // The honest answer as it was once: what the store says meanwhile makes no difference.
  ada.browser.hook = (request, honest) =>
    new URL(request.url).pathname.endsWith('/keys/release')
      ? Response.json({ keys: [change(structuredClone(released))], absent: [], refused: [] })
      : honest(request);
  // What the answer belongs to is kept: blob and epoch.
  try {
    return await ada.read(subject.file);
  } finally {
    ada.browser.hook = undefined;
    expect(ada.journal.head).toEqual(head);
    expect(ada.cache.saves).toBe(saves);
  }
}

row(
  'B1',
  {
    attack: 'wrapped keys tampered with',
    tried: 'each bit of the keyring with passphrase and kit, and of a file’s envelope',
  },
  async (t) => {
    const { bytes, account } = ada.keyring;
    const recoveryEntropy = await parseRecoveryWords(ada.credentials.recoveryWords);
    const login = await startLogin(ada.credentials.passphrase);
    const { startLoginRequest } = login;
    const { loginResponse } = await ada.broker.call(signinStart, { userName: 'ada', startLoginRequest });
    const { exportKey } = login.finish(loginResponse);
    const messages = new Set<string>();
    for (const secret of [{ exportKey }, { recoveryEntropy }]) {
      expect((await openKeyring(bytes, account, secret)).hash).toEqual(ada.keyring.hash);
      for (let bit = 0; bit < 8 * bytes.length; bit += t.full ? 1 : 7) {
        const error = await t.refuses(openKeyring(flipped(bytes, bit), account, secret), 'keyring_corrupt');
        messages.add(error.code + JSON.stringify(error.detail));
      }
      for (let length = 0; length < bytes.length; length += t.full ? 1 : 5) {
        await t.refuses(openKeyring(bytes.slice(0, length), account, secret), 'keyring_corrupt');
      }
      const longer = concat(bytes, Uint8Array.of(0));
      await t.refuses(openKeyring(longer, account, secret), 'keyring_corrupt');
    }
    // All of them look alike: no oracle for what was wrong.
    expect(messages.size).toBe(1);
    for (const field of ['salt', 'kmsBlob', 'sealedKey'] as const) {
      const original = fromB64Url(released.envelope[field]);
      for (let bit = 0; bit < 8 * original.length; bit += t.full ? 1 : 41) {
        const text = toB64Url(flipped(original, bit));
        const read = readWith((key) => ({ ...key, envelope: { ...key.envelope, [field]: text } }));
        await t.refuses(read, 'kms_half_wrong', 'envelope_corrupt');
      }
    }
    for (const suite of ['halfkey/2', 'halfkey/0', '', 'none']) {
      const read = readWith((key) => ({ ...key, envelope: { ...key.envelope, suite } }));
      await t.refuses(read, 'format_unknown');
    }
    for (const epoch of [1, 2, 0xffffffff]) {
      const read = readWith((key) => ({ ...key, envelope: { ...key.envelope, epoch } }));
      await t.refuses(read, 'envelope_corrupt');
    }
  },
);

row(
  'B3',
  {
    attack: 'keys that the broker made',
    tried: 'no vault, another vault, another account’s keyring, an older or self-made one, at sign-in',
  },
  async (t) => {
    const eve = await Client.signUp(world, 'eve');
    const keyringOf = (bytes: Bytes, version = 1) => ({ keyring: { version, bytes: toB64Url(bytes) } });
    const other = `${ada.vault.slice(0, -4)}0000`;
    const head = { seq: 0, hash: toB64Url(new Uint8Array(32)) };
    const answers: readonly [Record<string, unknown>, string][] = [
      [{ vaults: [] }, 'vault_missing'],
      [{ vaults: [{ vault: other, role: 'owner', head }] }, 'vault_missing'],
      [{ vaults: [{ vault: eve.vault, role: 'owner', head }] }, 'vault_missing'],
      [keyringOf(eve.keyring.bytes), 'keyring_corrupt'],
      [keyringOf(randomBytes(ada.keyring.bytes.length)), 'keyring_corrupt'],
      [keyringOf(new Uint8Array(0)), 'keyring_corrupt'],
      [keyringOf(ada.keyring.bytes.slice(0, -1)), 'keyring_corrupt'],
    ];
    for (const [change, code] of answers) {
      const browser = world.newBrowser();
      browser.hook = changing(/\/signin\/code$/, (answer) => ({ ...answer, ...change }));
      await t.refuses(Client.signIn(ada, browser), code);
      const written = browser.sent.filter(
        ({ method, path }) => method === 'POST' && !path.startsWith('/api/signin/'),
      );
      expect(written).toEqual([]);
    }
    const browser = world.newBrowser();
    browser.hook = (request, honest) =>
      new URL(request.url).pathname.endsWith('/log')
        ? Response.json(
            { type: 'about:blank', title: 'none', status: 404, code: 'not_found' },
            { status: 404 },
          )
        : honest(request);
    await t.refuses(Client.signIn(ada, browser), 'vault_missing');
  },
);

row(
  'B4',
  {
    attack: 'a KMS half that the broker chose',
    tried: 'a file made with a known half; then every guess that broker and store can make',
  },
  async (t) => {
    const half = new Uint8Array(32).fill(7);
    ada.browser.hook = changing(/\/keys\/generate$/, (answer) => ({
      keys: (answer['keys'] as object[]).map((key) => ({ ...key, kmsHalf: toB64Url(half) })),
    }));
    const { sent } = await ada.upload('known half.txt', utf8('content'));
    ada.browser.hook = undefined;
    const stored = ada.browser.sent.findLast(({ path }) => path.endsWith('/envelopes'))!;
    const { envelopes } = JSON.parse(stored.body) as {
      envelopes: { envelope: Parameters<typeof fromRecord>[0] }[];
    };
    const envelope = fromRecord(envelopes[0]!.envelope);
    const binding = {
      purpose: 'file',
      vault: ada.vault,
      blob: sent.blob,
      epoch: sent.epoch,
      kmsHalf: half,
    } as const;
    expect(await openEnvelope({ ...binding, envelope, vaultKey: sent.vaultKey })).toEqual(sent.contentKey);
    // All that they hold: public keys, ids, blobs, the half itself, and what is derived from it.
    const { identity, sharing, hash } = ada.keyring;
    const known: Bytes[] = [
      half,
      new Uint8Array(32),
      hash,
      identity.publicKey,
      sharing.publicKey,
      envelope.salt,
    ];
    const guesses = [
      ...known,
      envelope.kmsBlob.slice(0, 32),
      envelope.sealedKey.slice(0, 32),
      ada.device.publicKey,
    ];
    for (const guess of [...guesses]) {
      for (const purpose of ['file', 'journal', 'cache', 'export-wrap', ''])
        guesses.push(await deriveKey(guess, purpose, ada.vault));
    }
    for (let count = 0; count < (t.full ? 20_000 : 500); count++) guesses.push(randomBytes(32));
    for (const vaultKey of guesses)
      await t.refuses(openEnvelope({ ...binding, envelope, vaultKey }), 'kms_half_wrong');
  },
);

row(
  'B5',
  {
    attack: 'a wrong half at a release',
    tried: 'random, all zeros, one bit off, another file’s half, another file’s whole key',
  },
  async (t) => {
    const other = await newSubject(ada, 'other.bin', utf8('something else'));
    let theirs: ReleasedKey | undefined;
    ada.browser.hook = changing(RELEASE, (answer) => {
      theirs = (answer as unknown as Release).keys[0];
      return answer;
    });
    await ada.read(other.file);
    ada.browser.hook = undefined;
    const half = fromB64Url(released.kmsHalf);
    const halves = [new Uint8Array(32), half.map((byte) => byte ^ 0xff), fromB64Url(theirs!.kmsHalf)];
    for (let bit = 0; bit < 256; bit += t.full ? 1 : 16) halves.push(flipped(half, bit));
    for (let count = 0; count < (t.full ? 300 : 10); count++) halves.push(randomBytes(32));
    for (const wrong of halves) {
      await t.refuses(
        readWith((key) => ({ ...key, kmsHalf: toB64Url(wrong) })),
        'kms_half_wrong',
      );
    }
    await t.refuses(
      readWith((key) => ({ ...key, kmsHalf: theirs!.kmsHalf, envelope: theirs!.envelope })),
      'kms_half_wrong',
    );
    await t.refuses(
      readWith(() => theirs),
      'key_absent',
    );
  },
);

row(
  'B12',
  {
    attack: 'domains that run into each other',
    tried: 'every split of seeded texts into purpose and ids, and ids that look like others’ lengths',
  },
  async (t) => {
    const seen = new Map<string, string>();
    const random = randomOf(12);
    const alphabet = ['a', 'b', '\0', '\u0001', 'ab', '\0\0\0\u0001', 'halfkey/1', 'file', 'journal', ''];
    for (let count = 0; count < (t.full ? 200_000 : 10_000); count++) {
      const fields = Array.from(
        { length: 1 + Math.floor(random() * 4) },
        () => alphabet[Math.floor(random() * alphabet.length)]!,
      );
      const [purpose = '', ...ids] = fields;
      const info = toB64Url(derivationInfo(purpose, ...ids));
      const name = JSON.stringify(fields);
      expect(seen.get(info) ?? name).toBe(name);
      seen.set(info, name);
      t.vary(1);
    }
    const ikm = randomBytes(32);
    const keys = await Promise.all([
      deriveKey(ikm, 'a', 'bc'),
      deriveKey(ikm, 'ab', 'c'),
      deriveKey(ikm, 'abc', ''),
      deriveKey(ikm, 'abc'),
    ]);
    expect(new Set(keys.map(toB64Url)).size).toBe(4);
    t.held('different fields never give the same info');
  },
);
