import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const source = fileURLToPath(new URL('../../src', import.meta.url));
const files = readdirSync(source, { recursive: true })
  .map(String)
  .filter((path) => /\.(ts|svelte)$/.test(path) && !path.includes('/texts/'));

/** In quotation marks, and begun like a sentence; errors' messages, which are for logs, begin in lower case. */
const SENTENCE = /'[A-Z][a-z’]+,? [^'\n]*'|`[A-Z][a-z’]+,? [^`\n]*`|'[^'\n]* [^'\n]*[.…?]'/g;
/** Of a markup: what stands between tags, apart from the name. */
const MARKUP = /(?<=>)[^<>]*\p{L}{2,}[^<>]*(?=<)/gu;

/** A component without its script, its style, and what it calculates. */
function markupOf(component: string): string {
  let markup = component.replaceAll(/<(script|style)[\s\S]*?<\/\1>/g, '');
  for (let before = ''; before !== markup;) {
    before = markup;
    markup = markup.replaceAll(/\{[^{}]*\}/g, '');
  }
  return markup.replaceAll('Halfkey', '');
}

function spoken(path: string, code: string): string[] {
  const bare = code.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$|<!--[\s\S]*?-->/gm, '');
  const words = path.endsWith('.svelte') ? (markupOf(bare).match(MARKUP) ?? []) : [];
  return [...(bare.match(SENTENCE) ?? []), ...words].map((each) => each.trim());
}

describe('what is said to people', () => {
  it('stands in the texts alone', () => {
    const elsewhere = files.flatMap((path) =>
      spoken(path, readFileSync(`${source}/${path}`, 'utf8')).map((each) => `${path}: ${each}`),
    );
    expect(elsewhere).toEqual([]);
  });

  it('would be found', () => {
    expect(spoken('a.ts', "const a = 'Try again.'; // 'Try again.'")).toEqual(["'Try again.'"]);
    expect(spoken('a.ts', 'const a = `Today, ${b}`;')).toEqual(['`Today, ${b}`']);
    expect(spoken('a.svelte', '<script>const a = 1;</script><p class={a}>Try again {b}</p>')).toEqual([
      'Try again',
    ]);
  });
});
