import type { Random } from './random.ts';

const TEXTS = [
  '',
  '\0',
  '../../../etc/passwd',
  '%00',
  '\ud800',
  '{{7*7}}',
  '${jndi:ldap://127.0.0.1/x}',
  "'; DROP TABLE a;--",
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  'ａｄｍｉｎ',
  '\u202e\u0000',
  'A'.repeat(70_000),
  '🙂'.repeat(2000),
];
const NUMBERS = [0, -0, -1, 1.5, 2 ** 31, 2 ** 53, 2 ** 53 + 2, -(2 ** 63), 1e308, Number.MIN_VALUE];

/** A JSON value changed somewhere: another type, another size, a member more or less. */
export function mutated(random: Random, value: unknown, depth = 0): unknown {
  if (depth > 0 && random.chance(0.25)) return oddity(random);
  if (Array.isArray(value)) {
    const items = (value as readonly unknown[]).map((item) =>
      random.chance(0.5) ? mutated(random, item, depth + 1) : item,
    );
    if (random.chance(0.2)) return [];
    if (random.chance(0.2)) return new Array<unknown>(1 + random.below(150)).fill(items[0]);
    return items;
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([name, member]) => [name, random.chance(0.4) ? mutated(random, member, depth + 1) : member] as const,
    );
    if (random.chance(0.2)) entries.splice(random.below(entries.length), 1);
    if (random.chance(0.2))
      entries.push([
        random.pick(['__proto__', 'constructor', 'toString', 'x', 'kmsBlob', 'vault', 'account']),
        oddity(random),
      ]);
    return Object.fromEntries(entries);
  }
  if (typeof value === 'string' && random.chance(0.6)) return changedText(random, value);
  return oddity(random);
}

function changedText(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  switch (random.below(5)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + random.bytes(1 + random.below(4)).toString('latin1') + text.slice(at + 1);
    case 2:
      return text + text;
    case 3:
      return text + random.pick(TEXTS);
    default:
      return random.pick(TEXTS);
  }
}

function oddity(random: Random): unknown {
  switch (random.below(6)) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
      return random.pick(NUMBERS);
    case 3:
      return random.pick(TEXTS);
    case 4:
      return {};
    default:
      return [[]];
  }
}

/** Bodies that are no JSON of anybody's, or too much of it. */
export function oddBody(random: Random): string {
  switch (random.below(10)) {
    case 0:
      return '['.repeat(1 + random.below(60_000));
    case 1:
      return '{"a":'.repeat(1 + random.below(12_000));
    case 2:
      return `[${'0,'.repeat(random.below(30_000))}0]`;
    case 3:
      return `{${Array.from({ length: random.below(4000) }, (_, index) => `"k${String(index)}":0`).join(',')}}`;
    case 4:
      return `{"a":${'9'.repeat(1 + random.below(50_000))}}`;
    case 5:
      return random.bytes(random.below(300)).toString('latin1');
    case 6:
      return '{"__proto__":{"stage":"full"},"constructor":{"prototype":{}}}';
    case 7:
      return `"${'\\u0000'.repeat(random.below(8000))}"`;
    case 8:
      return '';
    default:
      return random.pick([
        'null',
        'true',
        '0',
        '""',
        '[]',
        '{}',
        '{"factor":{}}',
        'undefined',
        '{"a":1e999}',
        "{'a':1}",
      ]);
  }
}
