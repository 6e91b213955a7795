import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {{ id: string, attack: string, tried: string }} Attack a line of docs/ATTACKS.md, without what must happen
 */

/**
 * Every line of the tables of docs/ATTACKS.md, in their order.
 * @param {string} root of the repository
 * @returns {Attack[]}
 */
export function promisedAttacks(root) {
  const text = readFileSync(join(root, 'docs', 'ATTACKS.md'), 'utf8');
  return text
    .split('\n')
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|')))
    .filter(([before, id = '']) => before === '' && /^[A-Z]\d{1,2}$/.test(id))
    .map(([, id = '', attack = '', tried = '']) => ({ id, attack, tried }));
}

/**
 * The rows that docs/SECURITY.md names for its claims.
 * @param {string} root of the repository
 * @returns {Set<string>}
 */
export function claimedRows(root) {
  const text = readFileSync(join(root, 'docs', 'SECURITY.md'), 'utf8');
  const chapter = text.split(/^## /m).find((part) => part.startsWith('What is tried')) ?? '';
  return new Set(chapter.match(/\b[A-Z]\d{1,2}\b/g) ?? []);
}

/**
 * What docs/ATTACKS.md, docs/SECURITY.md and the rows that ran say differently, a sentence for each.
 * @param {readonly Attack[]} promised
 * @param {ReadonlySet<string>} claimed
 * @param {readonly Attack[]} ran
 * @returns {string[]}
 */
export function differences(promised, claimed, ran) {
  const lineOf = (/** @type {Attack} */ { id, attack, tried }) => `${id} | ${attack} | ${tried}`;
  const lines = new Set(promised.map(lineOf));
  const ranLines = new Set(ran.map(lineOf));
  const ids = new Set(promised.map(({ id }) => id));
  return [
    ...[...lines].filter((line) => !ranLines.has(line)).map((line) => `only docs/ATTACKS.md has: ${line}`),
    ...[...ranLines].filter((line) => !lines.has(line)).map((line) => `docs/ATTACKS.md has not: ${line}`),
    ...[...ids].filter((id) => !claimed.has(id)).map((id) => `docs/SECURITY.md has no claim for ${id}`),
    ...[...claimed]
      .filter((id) => !ids.has(id))
      .map((id) => `docs/SECURITY.md claims ${id}, docs/ATTACKS.md has it not`),
  ];
}
