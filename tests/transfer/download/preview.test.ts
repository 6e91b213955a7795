import { describe, expect, it } from 'vitest';
import { utf8, type Bytes } from '../../../src/lib/bytes.ts';
import { collectPreview, isPreviewable } from '../../../src/lib/transfer/download/preview.ts';

const MIB = 1024 * 1024;

async function* chunks(...given: Bytes[]): AsyncGenerator<Bytes> {
  yield* await Promise.resolve(given);
}

describe('a file', () => {
  it.each([
    ['image/png', 32 * MIB, true],
    ['image/png', 32 * MIB + 1, false],
    ['image/avif', 1, true],
    ['text/plain', MIB, true],
    ['text/plain', MIB + 1, false],
    ['application/json', 0, true],
    ['image/svg+xml', 1, false],
    ['application/pdf', 1, false],
    ['application/octet-stream', 1, false],
    ['', 1, false],
  ])('of %s and %i bytes can be looked at in place: %s', (mediaType, sizeBytes, can) => {
    expect(isPreviewable({ mediaType, sizeBytes })).toBe(can);
  });
});

describe('what is looked at', () => {
  it('of an image is a blob of its own type', async () => {
    const preview = await collectPreview('image/png', chunks(utf8('a'), utf8('bc')));
    const { blob } = preview as Extract<typeof preview, { kind: 'image' }>;
    expect([preview.kind, blob.type, await blob.text()]).toEqual(['image', 'image/png', 'abc']);
  });

  it('of a text is the text, and no document: of markup, too', async () => {
    const [first, second] = [utf8('<b>Gr\u00fc').slice(0, 6), utf8('<b>Gr\u00fc').slice(6)];
    expect(await collectPreview('text/html', chunks(first, second, utf8('n')))).toEqual({
      ...{ kind: 'text', text: '<b>Gr\u00fcn' },
    });
  });

  it('of bytes that are no text is nothing', async () => {
    expect(await collectPreview('text/plain', chunks(new Uint8Array([0xff])))).toEqual({ kind: 'none' });
  });
});
