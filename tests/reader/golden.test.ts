import { beforeAll, describe, expect, test } from 'vitest';
import { openContent } from './content.ts';
import { openEnvelope } from './envelope.ts';
import { demandNoVoid, findGolden, fromHex, knownOf, logOf, type Golden, type Stored } from './golden.ts';
import { makeGoldenAccount } from './golden-account.ts';
import { goldenJson, storedFiles } from './golden-files.ts';
import { readJournal } from './journal.ts';
import { readKeyring } from './keyring.ts';
import { readWords } from './kit.ts';
import type { Bytes } from './primitives.ts';
import { Refused } from './refused.ts';
import { openPages } from './snapshot.ts';

const stored = storedFiles();
const golden = goldenJson();

test('finds in the golden account of version 1 exactly what was written', () => {
  expect(findGolden(stored, golden)).toEqual(golden);
});

test('has golden contents of 0, 1, 9 and 600,000 bytes, and no object that is not opened', () => {
  expect(golden.blobs.map(({ sizeBytes }) => sizeBytes)).toEqual([0, 1, 600_000, 9]);
  const opened = new Set<string>();
  const watched: Stored = new Map(stored);
  watched.get = (name) => {
    opened.add(name);
    return stored.get(name);
  };
  findGolden(watched, golden);
  expect([...stored.keys()].filter((name) => !opened.has(name))).toEqual([]);
});

/** The code that it is refused with, or what it yields. */
function codeOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refused) return error.code;
    throw error;
  }
}

const refusalOf = (objects: Stored, secrets: Golden = golden): unknown =>
  codeOf(() => findGolden(objects, secrets));

/** Every byte of heads, signatures and wraps; further on some, and both ends of each of FLOE's segments. */
function placesIn(sizeBytes: number): number[] {
  const borders = [74, 74 + 524_288, sizeBytes];
  return Array.from({ length: sizeBytes }, (_, index) => index).filter(
    (at) =>
      at < 210 ||
      at % (sizeBytes < 4096 ? 7 : 90_001) === 0 ||
      borders.some((border) => Math.abs(at - border) < 24),
  );
}

const keyringBytes = stored.get('keyring')!;
const openers = [
  { exportKey: fromHex(golden.exportKeyHex) },
  { recoveryEntropy: readWords(golden.recoveryWords) },
];
const keyring = readKeyring(keyringBytes, golden.account, openers[0]!);
const known = knownOf(golden, keyring);
const log = logOf(stored);
const { state } = readJournal(known, log);

/** Opens one object, these bytes standing in its place; of the others only what it needs. */
function openAlone(name: string, bytes: Bytes): void {
  const [kind, id = ''] = name.split('/');
  const { vaultKey } = keyring;
  if (kind === 'keyring') {
    for (const opener of openers) readKeyring(bytes, golden.account, opener);
  } else if (kind === 'log') {
    const reading = readJournal(known, [...log.slice(0, Number(id)), bytes]);
    if (reading.refusal) throw reading.refusal;
    demandNoVoid(reading);
  } else if (kind === 'snapshots') {
    openPages(known, state.snapshot!, (page) =>
      name.endsWith(page) ? bytes : stored.get(`snapshots/4/${page}`)!,
    );
  } else if (kind === 'blobs') {
    const version = state.versions.find(({ blob }) => blob === id)!;
    const { contentKeyHex } = golden.blobs.find(({ blob }) => blob === id)!;
    openContent(fromHex(contentKeyHex), { ...version, vault: known.vault }, bytes);
  } else {
    const purpose = id === golden.inbox.blob ? 'inbox' : 'file';
    const { kmsHalfHex } = [golden.inbox, ...golden.blobs].find(({ blob }) => blob === id)!;
    const place = { purpose, vault: known.vault, blob: id, epoch: known.epoch } as const;
    openEnvelope(Buffer.from(bytes).toString(), { ...place, vaultKey, kmsHalf: fromHex(kmsHalfHex) });
  }
}

const CODES: readonly (readonly [name: RegExp, codes: readonly unknown[]])[] = [
  [/^keyring$/, ['keyring_corrupt']],
  [/^log\//, ['journal_corrupt', 'journal_gap']],
  [/^snapshots\//, ['snapshot_wrong']],
  [/^keys\//, ['envelope_corrupt', 'format_unknown', 'kms_half_wrong']],
  [
    /^blobs\//,
    ['ciphertext_overlong', 'ciphertext_truncated', 'format_malformed', 'key_mismatch', 'segment_corrupt'],
  ],
];

describe.each([...stored.keys()])('%s', (name) => {
  const bytes = stored.get(name)!;
  const codes = CODES.find(([pattern]) => pattern.test(name))?.[1] ?? [];

  test('is refused with a byte changed, wherever it is', () => {
    const others: unknown[] = [];
    for (const at of placesIn(bytes.length)) {
      const changed = bytes.slice();
      changed[at]! ^= 1 << (at % 8);
      const outcome = codeOf(() => {
        openAlone(name, changed);
      });
      if (!codes.includes(outcome)) others.push([at, outcome]);
    }
    expect(others).toEqual([]);
  });

  test('is refused with its last byte missing, and with one more', () => {
    for (const changed of [bytes.slice(0, -1), new Uint8Array([...bytes, 0])]) {
      expect(refusalOf(new Map(stored).set(name, changed))).toEqual(expect.any(String));
    }
  });

  test('is missed when it is not there', () => {
    const without = new Map(stored);
    without.delete(name);
    expect(refusalOf(without)).not.toEqual(golden);
  });
});

describe('golden objects in another’s place', () => {
  const swapped = (one: string, other: string): Stored =>
    new Map(stored).set(one, stored.get(other)!).set(other, stored.get(one)!);
  const names = (pattern: RegExp): string[] => [...stored.keys()].filter((name) => pattern.test(name));

  test.each([/^log\//, /^keys\//, /^snapshots\//, /^blobs\/.*A[AQ]$/])('are refused: %s', (pattern) => {
    const [one, other] = names(pattern);
    expect(refusalOf(swapped(one!, other!))).toEqual(expect.any(String));
  });

  test('are refused with a KMS half of another blob', () => {
    const [first, ...rest] = golden.blobs;
    const other = { ...first!, kmsHalfHex: rest[0]!.kmsHalfHex };
    expect(refusalOf(stored, { ...golden, blobs: [other, ...rest] })).toBe('kms_half_wrong');
  });

  test('are refused with another export key or other words', () => {
    expect(refusalOf(stored, { ...golden, exportKeyHex: golden.exportKeyHex.replace('00', '01') })).toBe(
      'keyring_corrupt',
    );
    const words = golden.recoveryWords.split(' ').toReversed().join(' ');
    expect(refusalOf(stored, { ...golden, recoveryWords: words })).toBe('recovery_words_malformed');
  });
});

describe('what the product writes today', () => {
  let made: Awaited<ReturnType<typeof makeGoldenAccount>>;
  beforeAll(async () => {
    made = await makeGoldenAccount();
  });

  test('is found by the reader of version 1', () => {
    expect(findGolden(made.files, made.golden)).toEqual(made.golden);
  });

  test('has the names and sizes of the golden account', () => {
    const sizes = (objects: Stored): unknown =>
      [...objects]
        .map(([name, bytes]) => [name, bytes.length])
        .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    expect(sizes(made.files)).toEqual(sizes(stored));
    expect(made.golden.entries.map(({ name }) => name)).toEqual(golden.entries.map(({ name }) => name));
  });
});
