import fc from 'fast-check';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { describe, expect, test } from 'vitest';
import {
  generateRecoveryEntropy,
  parseRecoveryWords,
  recoveryKek,
  recoveryKeyPair,
  recoveryWords,
  signRecoveryChallenge,
} from '../../src/lib/account/recovery.ts';
import { concat, toHex, u32be, utf8, type Bytes } from '../../src/lib/bytes.ts';
import { verify } from '../../src/lib/crypto/signing.ts';
import { fromHex } from '../crypto/hex.ts';
import { refusalCode } from '../crypto/refusal.ts';

// From BIP39's own vectors (github.com/trezor/python-mnemonic, vectors.json), the 256-bit ones.
const PUBLISHED: readonly (readonly [hex: string, words: string])[] = [
  ['00'.repeat(32), `${'abandon '.repeat(23)}art`],
  [
    '7f'.repeat(32),
    `${'legal winner thank year wave sausage worth useful '.repeat(2)}legal winner thank year wave sausage worth title`,
  ],
  [
    '80'.repeat(32),
    `${'letter advice cage absurd amount doctor acoustic avoid '.repeat(2)}letter advice cage absurd amount doctor acoustic bless`,
  ],
  ['ff'.repeat(32), `${'zoo '.repeat(23)}vote`],
  [
    'f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f',
    'void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group space point ten exist slush involve unfold',
  ],
];

describe('recovery words', () => {
  test.each(PUBLISHED)('agree with the published ones for %s', async (hex, words) => {
    expect((await recoveryWords(fromHex(hex))).join(' ')).toBe(words);
    expect(toHex(await parseRecoveryWords(words))).toBe(hex);
  });

  test('come back from what they stand for', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 32, maxLength: 32 }), async (entropy) => {
        const words = await recoveryWords(new Uint8Array(entropy));
        expect(words).toHaveLength(24);
        expect(await parseRecoveryWords(words.join(' '))).toEqual(new Uint8Array(entropy));
      }),
      { seed: 39, numRuns: 100 },
    );
  });

  test('are taken as people type them', async () => {
    const entropy = await generateRecoveryEntropy();
    const words = await recoveryWords(entropy);
    const spellings = [
      words.join('\n'),
      `  ${words.join('  \t ')} \r\n`,
      words.join(' ').toUpperCase(),
      words.map((word, index) => `${String(index + 1)}. ${word}`).join('\n'),
      words.map((word, index) => `${String(index + 1)})${word}`).join(' '),
      words.join(', '),
      words
        .join(' ')
        .replaceAll(/[a-z]/g, (letter) => String.fromCodePoint(0xff41 + letter.charCodeAt(0) - 97)),
      words.join('\u3000'),
    ];
    for (const text of spellings) expect(await parseRecoveryWords(text)).toEqual(entropy);
  });

  test('are refused when they are too few, too many, unknown or of a wrong checksum', async () => {
    const words = (await recoveryWords(new Uint8Array(32))).join(' ');
    for (const text of ['', 'abandon', words.slice(8), `${words} abandon`, words.replace('art', 'artx')]) {
      expect(await refusalCode(parseRecoveryWords(text))).toBe('recovery_words_malformed');
    }
    const last = wordlist.filter((word) => word !== 'art');
    const refused = await Promise.all(
      last.map(async (word) =>
        parseRecoveryWords(words.replace(/art$/, word)).then(
          () => 0,
          () => 1,
        ),
      ),
    );
    // 8 of the last word's 11 bits are checksum: 7 other words of 2,047 fit, and stand for other secrets.
    expect(refused.reduce((sum, one) => sum + one, 0)).toBe(2_040);
  });

  test('are not quoted by the refusal', async () => {
    const error: unknown = await parseRecoveryWords(`${'abandon '.repeat(23)}zebra`).catch(
      (refused: unknown) => refused,
    );
    expect(JSON.stringify(error) + String(error) + String((error as Error).cause)).not.toMatch(
      /abandon|zebra/,
    );
  });
});

describe('the kit’s keys', () => {
  const entropy: Bytes = Uint8Array.from({ length: 32 }, (_, index) => index);

  // Made once with Node's own crypto: hkdfSync('sha256', entropy, '', info, 32) and createPublicKey.
  test('are those of docs/FORMAT.md', async () => {
    expect(toHex(await recoveryKek(entropy))).toBe(
      '3a28633434708b327e184ee6fc51bb50c8187f69b9e701cd54046593078fc323',
    );
    expect(toHex((await recoveryKeyPair(entropy)).publicKey)).toBe(
      '15f1e25d71ccd73ea664e0c9ea4e331d246537dd1ad4612fd614dc8faeb6671d',
    );
  });

  test.each(['recovery', 'factor-reset'] as const)(
    'answer a challenge for %s with a signature over exactly what the broker checks',
    async (purpose) => {
      const pair = await recoveryKeyPair(entropy);
      const challenge = new Uint8Array(32).fill(7);
      const signature = await signRecoveryChallenge(pair, challenge, purpose);
      const field = (bytes: Bytes) => concat(u32be(bytes.length), bytes);
      const messageFor = (what: string) =>
        concat(field(utf8(`halfkey/${what}/1`)), field(pair.publicKey), field(challenge));
      expect(await verify(pair.publicKey, messageFor(purpose), signature)).toBe(true);
      const other = purpose === 'recovery' ? 'factor-reset' : 'recovery';
      expect(await verify(pair.publicKey, messageFor(other), signature)).toBe(false);
      expect(await verify(pair.publicKey, challenge, signature)).toBe(false);
    },
  );
});
