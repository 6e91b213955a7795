import { PolicyError } from './policy-error.ts';
import { SUB_VARIABLE } from './vocabulary.ts';

/** `many` is `*`, `one` is `?`, `sub` the policy variable; text in between stands for itself. */
type Token = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'many' | 'one' | 'sub' };

/** A policy's string, cut once: what `*`, `?` and `${…}` mean is settled before a request's values come near it. */
export type Pattern = readonly Token[];

const PIECES = /\$\{([^}]*)\}|[*?]|[^$*?]+|\$/g;
/** `${*}`, `${?}` and `${$}` are IAM's spelling of the characters themselves. */
const ESCAPES: ReadonlySet<string> = new Set(['*', '?', '$']);

/**
 * Cuts a policy's string into text, wildcards and variables.
 * @param allowed whether the requests that this policy is about have a `sub` (only a vault identity's have)
 * @throws {PolicyError} unknown_variable
 */
export function parsePattern(source: string, allowed: { readonly sub: boolean }): Pattern {
  return Array.from(source.matchAll(PIECES), (match): Token => {
    const [piece, variable] = match;
    if (piece === '$' && source[match.index + 1] === '{') {
      throw new PolicyError('unknown_variable', 'expected "}" after "${", got the end');
    }
    if (piece === '*') return { kind: 'many' };
    if (piece === '?') return { kind: 'one' };
    if (variable === undefined) return { kind: 'text', text: piece };
    if (ESCAPES.has(variable)) return { kind: 'text', text: variable };
    if (variable === SUB_VARIABLE && allowed.sub) return { kind: 'sub' };
    throw new PolicyError(
      'unknown_variable',
      `expected ${allowed.sub ? SUB_VARIABLE : 'no policy variable'}, got ${variable}`,
    );
  });
}

const MANY = Symbol('*');
const ONE = Symbol('?');

/**
 * Whether `value` matches, case-sensitively, all of it. The value put in for `${…:sub}` is literal: a `*` in it is a
 * star. Takes at most value × pattern steps, whatever the two are.
 * @param sub what `${cognito-identity.amazonaws.com:sub}` stands for; undefined matches nothing
 * @param wildcards false for StringEquals, to which `*` and `?` are characters
 */
export function matches(pattern: Pattern, value: string, sub: string | undefined, wildcards = true): boolean {
  const start = textBeforeWildcard(pattern, sub, wildcards);
  if (start === undefined) return false;
  if (start.tokens === pattern.length) return value === start.text;
  // `text*`, as nearly all are. Half a surrogate pair at its end would match half a character.
  const isPrefix = start.tokens === pattern.length - 1 && pattern[start.tokens]?.kind === 'many';
  if (isPrefix && start.text.isWellFormed()) return value.startsWith(start.text);
  const units: (string | typeof MANY | typeof ONE)[] = [];
  for (const token of pattern) {
    if (token.kind === 'many') units.push(wildcards ? MANY : '*');
    else if (token.kind === 'one') units.push(wildcards ? ONE : '?');
    else if (token.kind === 'text') units.push(...Array.from(token.text));
    else if (sub === undefined) return false;
    else units.push(...Array.from(sub));
  }
  return matchesUnits(units, Array.from(value));
}

/** @returns the text that the first so many tokens stand for; undefined where one of them can match nothing */
function textBeforeWildcard(
  pattern: Pattern,
  sub: string | undefined,
  wildcards: boolean,
): { text: string; tokens: number } | undefined {
  let text = '';
  for (const [tokens, token] of pattern.entries()) {
    if (token.kind === 'text') text += token.text;
    else if (token.kind !== 'sub') {
      if (wildcards) return { text, tokens };
      text += token.kind === 'many' ? '*' : '?';
    } else if (sub === undefined) return undefined;
    else text += sub;
  }
  return { text, tokens: pattern.length };
}

/** The greedy match with one point of return: a later `*` never needs an earlier one to give way. */
function matchesUnits(units: readonly (string | symbol)[], characters: readonly string[]): boolean {
  let unit = 0;
  let character = 0;
  let returnUnit = -1;
  let returnCharacter = 0;
  while (character < characters.length) {
    if (units[unit] === MANY) {
      returnUnit = unit++;
      returnCharacter = character;
    } else if (unit < units.length && (units[unit] === ONE || units[unit] === characters[character])) {
      unit++;
      character++;
    } else if (returnUnit >= 0) {
      unit = returnUnit + 1;
      character = ++returnCharacter;
    } else {
      return false;
    }
  }
  while (units[unit] === MANY) unit++;
  return unit === units.length;
}
