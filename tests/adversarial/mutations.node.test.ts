import { expect, test } from 'vitest';
import { inLongForm } from '../support/long-form.ts';
import { outcomeOf, type Reader } from './by-reader.ts';
import { KIT } from './files.ts';
import { KINDS, type Kind } from './kit.ts';
import { readerWith } from './mutated-reader.ts';
import { MUTATIONS } from './mutations.ts';

/** What one vector comes to, as a text that can be compared; a reader that a mutation broke may throw anything. */
function found(reader: Reader, kind: Kind, vector: (typeof KIT)[Kind]['vectors'][number]): string {
  try {
    return JSON.stringify(outcomeOf(reader, kind, KIT[kind], vector));
  } catch (error) {
    return String(error);
  }
}

/** Where a change of a file shows first: most mutations are noticed within milliseconds so. */
const SHOWS: Readonly<Record<string, readonly Kind[]>> = {
  'primitives.ts': ['signatures', 'envelopes', 'drafts'],
  'floe.ts': ['floe'],
  'content.ts': ['contents'],
  'envelope.ts': ['envelopes'],
  'keyring.ts': ['keyrings'],
  'kit.ts': ['words'],
  'backup-code.ts': ['backup-codes'],
  'hpke.ts': ['drafts', 'records'],
  'inbox.ts': ['drafts', 'records'],
  'cbor.ts': ['keyrings', 'journals'],
  'columns.ts': ['snapshots'],
  'snapshot.ts': ['snapshots'],
  'state-bytes.ts': ['snapshots', 'journals'],
};

/** The first vector that a reader finds something else in than it says. */
function firstNoticed(reader: Reader, file: string): string | undefined {
  const first = SHOWS[file] ?? ['journals'];
  const kinds = [...first, ...KINDS.filter((kind) => !first.includes(kind))];
  for (const kind of kinds) {
    for (const vector of KIT[kind].vectors) {
      if (found(reader, kind, vector) !== JSON.stringify(vector.expect)) return `${kind}/${vector.name}`;
    }
  }
  return undefined;
}

test('a copy of the reader in which nothing is changed finds what every vector says', () => {
  expect(firstNoticed(readerWith(undefined), '')).toBeUndefined();
});

inLongForm(test)(
  'every single rule that is left out of the reader is noticed by a vector',
  () => {
    const unnoticed = MUTATIONS.filter(
      (mutation) => firstNoticed(readerWith(mutation), mutation.file) === undefined,
    );
    expect(unnoticed.map(({ file, rule }) => `${file}: ${rule}`)).toEqual([]);
  },
  300_000,
);
