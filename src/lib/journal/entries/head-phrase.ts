import type { JournalHead } from './segment.ts';

const ALPHABET = 'abcdefghjkmnpqrstuvwxyz023456789'; // 32 characters that are not taken for one another.
const GROUPS = 5;
const GROUP_CHARACTERS = 4;

/**
 * A head in a form that people compare: "412 · k7qm 2x9a …", five groups of four characters, 100 bits of the hash. The
 * kit prints one; two devices that show the same have seen the same history.
 */
export function headPhrase({ seq, hash }: JournalHead): string {
  let bits = 0n;
  for (const byte of hash.subarray(0, 13)) bits = (bits << 8n) | BigInt(byte);
  bits >>= 4n; // 104 bits of 13 bytes; 100 are shown.
  const characters: string[] = [];
  for (let shift = 5 * (GROUPS * GROUP_CHARACTERS - 1); shift >= 0; shift -= 5) {
    characters.push(ALPHABET.charAt(Number((bits >> BigInt(shift)) & 31n)));
  }
  const groups = Array.from({ length: GROUPS }, (_, group) =>
    characters.slice(group * GROUP_CHARACTERS, (group + 1) * GROUP_CHARACTERS).join(''),
  );
  return `${String(seq)} · ${groups.join(' ')}`;
}
