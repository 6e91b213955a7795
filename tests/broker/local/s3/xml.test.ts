import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { childText, element, parseXml, xmlDocument } from '../../../../broker/local/s3/xml.ts';

const parse = (text: string) => parseXml(Buffer.from(text), 'Root');
function outcomeOf(text: string): unknown {
  try {
    parse(text);
    return 'a document';
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

describe('a request document', () => {
  it('is read with its entities, its namespaces left out', () => {
    const root = parse(
      '<?xml version="1.0"?><s3:Root xmlns:s3="x" a="b"><Key> &quot;a&amp;b&#10;&#x1F600; </Key></s3:Root>',
    );
    expect(childText(root, 'Key')).toBe(' "a&b\n😀 ');
    expect(childText(root, 'Other')).toBeUndefined();
  });

  it.each([
    '',
    'text',
    '<Root>',
    '<Root></Other>',
    '<Root><Key>x</Root>',
    '<Root><A><B></A></B></Root>',
    '<Root/><Root/>',
    '<Other/>',
    '<!DOCTYPE r [<!ENTITY a "b">]><Root>&a;</Root>',
    '<!DOCTYPE r SYSTEM "file:///etc/passwd"><Root/>',
    '<Root><![CDATA[x]]></Root>',
    '<Root><Key>&unknown;</Key></Root>',
    '<Root><Key>&#x110000;</Key></Root>',
    '<Root><__proto__>x</__proto__></Root>',
    '<Root><constructor>x</constructor></Root>',
    `${'<Root>'.repeat(5000)}${'</Root>'.repeat(5000)}`,
  ])('is refused as malformed: %s', (text) => {
    expect(() => childText(parse(text), 'Key')).toThrow(expect.objectContaining({ code: 'MalformedXML' }));
  });

  it('does not expand more entities than it has', () => {
    const many = `<Root><Key>${'&amp;'.repeat(200_000)}</Key></Root>`;
    expect(childText(parse(many), 'Key')).toBe('&'.repeat(200_000));
  });

  it('never yields anything but a document or MalformedXML, whatever the bytes', () => {
    const words = fc.constantFrom(
      '<',
      '>',
      '/',
      'Root',
      '<Root>',
      '</Root>',
      '&',
      ';',
      '#',
      '"',
      '=',
      '?',
      '!',
      '[',
      'x',
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 20 }), (parts) => {
        expect(['a document', 'MalformedXML']).toContain(outcomeOf(parts.join('')));
      }),
      { seed: 2, numRuns: 3000 },
    );
  });
});

describe('an answer', () => {
  it('reads back as the text that went in, control characters too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const document = xmlDocument('Root', element('Key', text));
        expect(childText(parseXml(Buffer.from(document), 'Root'), 'Key')).toBe(text);
      }),
      { seed: 4, numRuns: 1000 },
    );
  });
});
