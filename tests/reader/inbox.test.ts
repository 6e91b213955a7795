import { beforeAll, describe, expect, test } from 'vitest';
import { makeGoldenInbox, type MadeInbox } from '../inbox/golden-making.ts';
import { findGoldenInbox, type GoldenInbox } from './golden-inbox.ts';
import { jsonOf, storedIn } from './golden-files.ts';
import type { Stored } from './golden.ts';
import { Refused } from './refused.ts';

const golden = jsonOf('inbox-v1') as GoldenInbox;
const stored = storedIn('inbox-v1');

const outcomeOf = (objects: Stored): unknown => {
  try {
    return findGoldenInbox(objects, golden);
  } catch (error) {
    if (error instanceof Refused) return error.code;
    throw error;
  }
};

test('finds in the golden inbox of version 1 exactly what was written', () => {
  expect(findGoldenInbox(stored, golden)).toEqual(golden);
});

test('has what an inbox can have: adopted, waiting, of a revoked device, to a retired key; a draft', () => {
  expect(golden.records.map((record) => 'captured' in record)).toEqual([true, true, false, false]);
  expect(golden.files.flatMap(({ blobs }) => blobs)).toContain(golden.records[0]?.blob);
  expect(golden.rest.oldestInboxEpoch).toBe(1);
  expect(golden.drafts).toHaveLength(1);
});

describe.each([...stored.keys()].filter((name) => /^(inbox|drafts)\//.test(name)))('%s', (name) => {
  const bytes = stored.get(name)!;
  const code = name.startsWith('drafts/') ? 'device_state_lost' : 'inbox_refused';
  const blob = name.slice(name.lastIndexOf('/') + 1);
  const ending = (objects: Stored): unknown => {
    const outcome = outcomeOf(objects);
    if (typeof outcome === 'string') return outcome === 'not_found' ? code : outcome; // Its blob is opened no more.
    const record = (outcome as GoldenInbox).records.find((each) => each.blob === blob);
    return record && 'refused' in record ? record.refused : outcome;
  };

  test('is refused with a byte changed, wherever it is', () => {
    for (let at = 0; at < bytes.length; at += at < 140 || at > bytes.length - 20 ? 1 : 13) {
      const changed = bytes.slice();
      changed[at]! ^= 1 << (at % 8);
      expect([at, ending(new Map(stored).set(name, changed))]).toEqual([at, code]);
    }
  });

  test('is refused with its last byte missing, and with one more', () => {
    for (const changed of [bytes.slice(0, -1), new Uint8Array([...bytes, 0])]) {
      expect(ending(new Map(stored).set(name, changed))).toBe(code);
    }
  });

  test('is refused in another’s place', () => {
    const others = [...stored.keys()].filter((other) => other !== name && other.startsWith(name.slice(0, 5)));
    for (const other of others) expect(ending(new Map(stored).set(name, stored.get(other)!))).toBe(code);
  });
});

describe('what the product writes today', () => {
  let made: MadeInbox;
  beforeAll(async () => {
    made = await makeGoldenInbox();
  });

  test('is found by the reader of version 1', () => {
    expect(findGoldenInbox(made.files, made.golden)).toEqual(made.golden);
  });

  test('has the names and sizes of the golden inbox', () => {
    const sizes = (objects: Stored): unknown =>
      [...objects]
        .map(([name, bytes]) => `${name.replace(/^(snapshots\/\d+\/).*/, '$1')} ${String(bytes.length)}`)
        .sort();
    expect(sizes(made.files)).toEqual(sizes(stored));
    expect(made.golden.rest).toEqual(golden.rest);
  });
});
