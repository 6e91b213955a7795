import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, type AST } from 'svelte/compiler';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../src', import.meta.url));

/**
 * Texts that are given to a component once and stay what they are as long as it stands: a translator may have them. All
 * else that is put into the page by an expression changes, or is a name or a secret.
 */
const GIVEN_ONCE: Readonly<Record<string, readonly string[]>> = {
  'lib/ui/account/Choices.svelte': ['{text}'],
  'lib/ui/account/Column.svelte': ['{lead}'],
  'lib/ui/account/Sheet.svelte': ['{title}', '{text}', '{saveName}', '{printName}'],
  'lib/ui/controls/PassphraseField.svelte': ['{label}'],
  'lib/ui/controls/Starting.svelte': ['{text}'],
  'lib/ui/controls/Switch.svelte': ['{label}', '{hint}'],
  'lib/ui/controls/TextField.svelte': ['{label}', '{hint}'],
  'lib/ui/drive/ColumnHeads.svelte': ['{title}'],
  'lib/ui/drive/DropTarget.svelte': ['{words}'],
  'lib/ui/drive/HelpDialog.svelte': ['{what}'],
  'lib/ui/drive/MissingPlace.svelte': ['{MISSING[what]}'],
  'lib/ui/drive/SearchFilters.svelte': ['{text}'],
  'lib/ui/drive/Sidebar.svelte': ['{label}'],
  'lib/ui/drive/StoragePage.svelte': ['{title}', '{title}'],
  'lib/ui/drive/TabBar.svelte': ['{label}'],
  'lib/ui/settings/InstallDialog.svelte': ['{takesFiles ? INSTALL.withFiles : INSTALL.plain}', '{text}'],
  'lib/ui/settings/PassphraseDialog.svelte': ['{text}', '{action}'],
  'lib/ui/settings/StorageSection.svelte': ['{safariWords(sparedPlace)}'],
  'lib/ui/transfers/TransfersPanel.svelte': ['{safariWords(sparedPlace)}'],
};

/** A text of `ui/texts` that is the same always: a field of a constant. */
const FIXED = /^\{[A-Z_]+\.[a-zA-Z]+\}$/;

/**
 * A browser's translator takes a text node out of the page and puts others in its place: what changes the old one
 * changes nothing.
 */
function exposedTexts(source: string): string[] {
  const found: string[] = [];
  const textOf = ({ start, end }: { start: number; end: number }) =>
    source.slice(start, end).replaceAll(/\s+/g, ' ').trim();

  function walk(nodes: AST.Fragment['nodes'], isInBlock: boolean): void {
    for (const node of nodes) {
      if (node.type === 'ExpressionTag') {
        if (isInBlock || !FIXED.test(textOf(node))) found.push(textOf(node));
      }
      // The block takes its nodes away when its turn is over: a bare text among them is not there any more.
      else if (node.type === 'Text' && isInBlock && node.data.trim() !== '') found.push(textOf(node));
      else
        for (const inner of fragmentsOf(node))
          walk(inner.nodes, node.type.endsWith('Block') && node.type !== 'SnippetBlock');
    }
  }

  walk(parse(source, { modern: true }).fragment.nodes, false);
  return found;
}

/** What stands in a node, where a translator gets at it. */
function fragmentsOf(node: AST.Fragment['nodes'][number]): AST.Fragment[] {
  if (node.type === 'IfBlock') return [node.consequent, node.alternate].filter((each) => each !== null);
  if (node.type === 'EachBlock') return [node.body, node.fallback].filter((each) => each != null);
  if (node.type === 'AwaitBlock')
    return [node.pending, node.then, node.catch].filter((each) => each !== null);
  if (node.type === 'SnippetBlock') return [node.body];
  if (node.type === 'SvelteHead') return []; // The title is set as a whole.
  return 'fragment' in node && !isKeptFromTranslators(node) ? [node.fragment] : [];
}

function isKeptFromTranslators(node: object): boolean {
  const attributes = 'attributes' in node ? (node.attributes as AST.RegularElement['attributes']) : [];
  return attributes.some(
    (attribute) =>
      attribute.type === 'Attribute' &&
      attribute.name === 'translate' &&
      Array.isArray(attribute.value) &&
      attribute.value[0]?.type === 'Text' &&
      attribute.value[0].data === 'no',
  );
}

describe('a page that the browser translates', () => {
  const components = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.svelte'))
    .sort();

  it.each(components)('%s keeps what changes, and names and secrets, from the translator', (path) => {
    const texts = exposedTexts(readFileSync(join(ROOT, path), 'utf8'));
    expect(texts).toEqual(GIVEN_ONCE[path] ?? []);
  });
});
