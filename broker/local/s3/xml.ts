import { XMLParser } from 'fast-xml-parser';
import { Refusal } from '../refusal.ts';

/** An element of a request document: its text, and its child elements. Attributes are not read. */
export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  // Entities are decoded below, the five predefined and characters only: nothing here can expand.
  processEntities: false,
});

/**
 * Reads a request document.
 * @throws {Refusal} 400 `MalformedXML` when it is no XML, has a DOCTYPE, or another root than `rootName`
 */
export function parseXml(bytes: Uint8Array, rootName: string): XmlElement {
  const source = Buffer.from(bytes).toString('utf8');
  if (source.includes('<!') || !isBalanced(source)) throw malformedXml();
  let nodes: unknown;
  try {
    nodes = parser.parse(source);
  } catch {
    throw malformedXml();
  }
  const root = toElements(nodes).find(({ name }) => !name.startsWith('?'));
  if (root?.name !== rootName) throw malformedXml();
  return root;
}

/** The parser forgives tags that are not closed, or in the wrong order; a list that was cut short must not pass. */
function isBalanced(source: string): boolean {
  const open: string[] = [];
  let roots = 0;
  // One class up to the bracket: with names told apart in the pattern, a tag that never ends would be tried in every
  // way.
  for (const [, tag = ''] of source.matchAll(/<([^<>]*)>/g)) {
    const [, slash, name] = /^(\/?)([^\s/?]+)/.exec(tag) ?? [];
    if (name === undefined) continue;
    if (slash === '/') {
      if (open.pop() !== name) return false;
    } else {
      roots += Number(open.length === 0);
      if (!tag.endsWith('/')) open.push(name);
    }
  }
  return open.length === 0 && roots === 1;
}

/** 400: the document is not what its operation's schema says. */
export const malformedXml = (): Refusal =>
  new Refusal(400, 'MalformedXML', 'the XML is not well-formed or not what the operation expects');

/** The text of a child; undefined when there is none of that name. */
export const childText = (element: XmlElement, name: string): string | undefined =>
  element.children.find((child) => child.name === name)?.text;

export const childrenNamed = (element: XmlElement, name: string): readonly XmlElement[] =>
  element.children.filter((child) => child.name === name);

function toElements(nodes: unknown): XmlElement[] {
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node: unknown) => {
    if (typeof node !== 'object' || node === null) return [];
    return Object.entries(node)
      .filter(([name]) => name !== '#text' && name !== ':@')
      .map(([name, content]) => ({ name, text: textOf(content), children: toElements(content) }));
  });
}

function textOf(content: unknown): string {
  if (!Array.isArray(content)) return '';
  const texts = content.map((node: unknown) =>
    typeof node === 'object' && node !== null && '#text' in node ? String(node['#text']) : '',
  );
  return decodeEntities(texts.join(''));
}

const NAMED = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

function decodeEntities(text: string): string {
  return text.replaceAll(/&(#x[0-9a-fA-F]{1,6}|#\d{1,7}|\w{1,8});/g, (_, entity: string) => {
    if (!entity.startsWith('#')) {
      const named = NAMED.get(entity);
      if (named === undefined) throw malformedXml();
      return named;
    }
    const hex = entity[1] === 'x';
    const codePoint = Number.parseInt(entity.slice(hex ? 2 : 1), hex ? 16 : 10);
    if (codePoint > 0x10ffff) throw malformedXml();
    return String.fromCodePoint(codePoint);
  });
}

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** An answer's document, of elements made by `element`. */
export const xmlDocument = (name: string, ...children: readonly string[]): string =>
  `${DECLARATION}<${name} xmlns="${NAMESPACE}">${children.join('')}</${name}>`;

/** An error's document, which has no namespace. */
export const errorDocument = (...children: readonly string[]): string =>
  `${DECLARATION}<Error>${children.join('')}</Error>`;

/** An element of text; nothing when the value is undefined. */
export const element = (name: string, value: string | number | boolean | undefined): string =>
  value === undefined ? '' : `<${name}>${escape(String(value))}</${name}>`;

/** An element of elements. */
export const group = (name: string, ...children: readonly string[]): string =>
  `<${name}>${children.join('')}</${name}>`;

// Control characters are written as references, as S3 does, though XML 1.0 allows most of them in no form.
const escape = (text: string): string =>
  text.replaceAll(
    // eslint-disable-next-line no-control-regex -- keys may hold them
    /[<>&"\u0000-\u0008\u000a-\u001f\ufffe\uffff]/g,
    (character) => ESCAPES.get(character) ?? `&#x${character.charCodeAt(0).toString(16)};`,
  );

const ESCAPES = new Map([
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['&', '&amp;'],
  ['"', '&quot;'],
]);
