import { wordlist } from '@scure/bip39/wordlists/english.js';
import { backupCodeHash } from '../reader/backup-code.ts';
import { recoveryPublicKey } from '../reader/kit.ts';
import { sha256, type Bytes } from '../reader/primitives.ts';
import type { BackupCodeVector, WordsVector } from './kit.ts';
import { bytesOf, hex, idOf } from './writing/bytes.ts';

const ACCOUNT = idOf('account', 1);

/** BIP39: 256 bits and 8 of their SHA-256, 11 a word. */
function wordsOf(entropy: Bytes, checksum = sha256(entropy)[0] ?? 0): string[] {
  const bits = [...entropy, checksum].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{11}/g) ?? []).map((index) => wordlist[Number.parseInt(index, 2)] ?? '');
}

const ENTROPY = bytesOf('recovery entropy', 32);
const WORDS = wordsOf(ENTROPY);
const TEXT = WORDS.join(' ');

const opens = (name: string, says: string, text: string, entropy = ENTROPY): WordsVector => {
  const expect = { entropyHex: hex(entropy), publicKeyHex: hex(recoveryPublicKey(entropy)) };
  return { name, rule: '10', says, text, expect };
};
const refuses = (name: string, says: string, text: string): WordsVector => ({
  name,
  rule: '10',
  says,
  text,
  expect: { refused: 'recovery_words_malformed' },
});

/** Letters as full-width forms, which NFKD makes plain. */
const wide = (text: string): string =>
  text.replace(/[a-z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0));

/** A word with an e inside. */
const WITH_E = WORDS.find((word) => /[a-z]e[a-z]/.test(word)) ?? '';

export const wordsVectors = (): WordsVector[] => [
  opens('plain', '24 words', TEXT),
  opens(
    'zeros',
    'the entropy of zeros: "abandon" and, for the checksum, "art"',
    `${'abandon '.repeat(23)}art`,
    new Uint8Array(32),
  ),
  opens('upper-case', 'words in any case', TEXT.toUpperCase()),
  opens(
    'numbered',
    'words with their numbers, on lines',
    WORDS.map((word, index) => `${String(index + 1)}. ${word}`).join('\r\n'),
  ),
  opens('commas', 'words between commas, in quotation marks', `“${WORDS.join('”,“')}”`),
  opens('wide', 'full-width letters', wide(TEXT)),
  opens(
    'kelvin',
    'the Kelvin sign for a K, and the long s for an s',
    TEXT.replaceAll('k', '\u212a').replaceAll('s', '\u017f'),
  ),
  opens(
    'no-break',
    'no-break spaces, a soft hyphen before the first word, a byte order mark',
    `\ufeff\u00ad${WORDS.join('\u00a0')}`,
  ),
  refuses('23', '23 words', WORDS.slice(1).join(' ')),
  refuses('25', '25 words', `${TEXT} abandon`),
  refuses('none', 'no word', ''),
  refuses('12', '12 words, with a right checksum of their own', `${'abandon '.repeat(11)}about`),
  refuses('unknown', 'a word that is not in the list', [...WORDS.slice(0, -1), 'halfkey'].join(' ')),
  refuses(
    'prefix',
    'the first four letters of a word',
    [...WORDS.slice(0, -1), (WORDS.find(({ length }) => length > 4) ?? '').slice(0, 4)].join(' '),
  ),
  refuses('checksum', 'another checksum', wordsOf(ENTROPY, ((sha256(ENTROPY)[0] ?? 0) + 1) % 256).join(' ')),
  refuses('order', 'words in another order', WORDS.toReversed().join(' ')),
  refuses(
    'mark-in-word',
    'a letter with a mark: the mark divides the word',
    TEXT.replace(WITH_E, WITH_E.replace(/e(?=[a-z])/, 'e\u0301')),
  ),
  refuses(
    'hyphen-in-word',
    'a hyphen in a word',
    TEXT.replace(WORDS[0] ?? '', `${(WORDS[0] ?? '').slice(0, 2)}-${(WORDS[0] ?? '').slice(2)}`),
  ),
  refuses('cyrillic', 'a letter that only looks right', TEXT.replace('a', '\u0430')),
];

const CODE = 'ABCDEFGHIJKLMNOP';
const typed = (name: string, says: string, text: string, code = CODE): BackupCodeVector => ({
  name,
  rule: '14',
  says,
  account: ACCOUNT,
  text,
  expect: { hashHex: hex(backupCodeHash(ACCOUNT, code)) },
});
const noCode = (name: string, says: string, text: string): BackupCodeVector => ({
  name,
  rule: '14',
  says,
  account: ACCOUNT,
  text,
  expect: { refused: 'code_malformed' },
});

export const backupCodeVectors = (): BackupCodeVector[] => [
  typed('plain', 'sixteen characters', CODE),
  typed('groups', 'as it is shown', 'ABCD-EFGH-IJKL-MNOP'),
  typed('lower-case', 'in lower case, with spaces', ' abcd efgh ijkl mnop '),
  typed(
    'dashes',
    'with dashes that a word processor makes of hyphens',
    'ABCD\u2013EFGH\u2014IJKL\u2212MNOP'.replace('\u2212', '\u2010'),
  ),
  typed('wide', 'full-width letters', '\uff21BCDEFGHIJKLMNOP'),
  typed('digits', 'the digits that there are', '2345672345672345', '2345672345672345'),
  noCode('15', '15 characters', CODE.slice(1)),
  noCode('17', '17 characters', `${CODE}A`),
  noCode('digit-0', 'a digit that base32 does not have', `${CODE.slice(1)}0`),
  noCode('digit-1', 'another', `${CODE.slice(1)}1`),
  noCode('digit-8', 'another', `${CODE.slice(1)}8`),
  noCode('padding', 'padding', `${CODE.slice(1)}=`),
  noCode('letter', 'a letter beyond ASCII', `${CODE.slice(1)}Ä`),
  noCode('none', 'nothing', ''),
];
