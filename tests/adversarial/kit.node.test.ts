import { describe, expect, test } from 'vitest';
import { outcomeOf } from './by-reader.ts';
import { KIT } from './files.ts';
import { KINDS } from './kit.ts';
import { makeKit } from './making.ts';
import { READER } from './reader.ts';

describe.each(KINDS)('%s: the independent reader finds', (kind) => {
  test('what each vector says', () => {
    const kit = KIT[kind];
    const found = kit.vectors.map((vector) => [vector.name, outcomeOf(READER, kind, kit, vector)]);
    expect(found).toEqual(kit.vectors.map(({ name, expect: expected }) => [name, expected]));
  });

  test('vectors of different names', () => {
    const names = KIT[kind].vectors.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

test('the files are what the script makes: node tests/vectors/adversarial-v1/make.mjs', () => {
  const made = makeKit();
  for (const kind of KINDS) expect(made[kind]).toEqual(KIT[kind]);
});
