import { describe, expect, test } from 'vitest';
import { createSourceTagger } from '../../src/lib/crypto/source-tag.ts';
import { utf8 } from '../../src/lib/bytes.ts';

const KEY = new Uint8Array(32).fill(7);

describe('the tag of some bytes', () => {
  test('tells the same again, after a restart too, and 32 bytes of it say nothing else', async () => {
    const tag = await (await createSourceTagger(KEY)).tag(utf8('abc'));
    const later = await createSourceTagger(KEY.slice());
    expect(tag).toHaveLength(32);
    expect(await later.matches(utf8('abc'), tag)).toBe(true);
    expect(await later.tag(utf8('abc'))).toEqual(tag);
  });

  test('is none of other bytes, be they a part of them, nor of another content key', async () => {
    const tagger = await createSourceTagger(KEY);
    const tag = await tagger.tag(utf8('abc'));
    for (const other of ['abd', 'ab', 'abc\u0000', ''])
      expect(await tagger.matches(utf8(other), tag)).toBe(false);
    const stranger = await createSourceTagger(new Uint8Array(32).fill(8));
    expect(await stranger.matches(utf8('abc'), tag)).toBe(false);
    expect(await stranger.tag(utf8('abc'))).not.toEqual(tag);
  });

  test('that was cut or changed matches nothing', async () => {
    const tagger = await createSourceTagger(KEY);
    const tag = await tagger.tag(utf8('abc'));
    expect(await tagger.matches(utf8('abc'), tag.slice(0, 31))).toBe(false);
    tag[31]! ^= 1;
    expect(await tagger.matches(utf8('abc'), tag)).toBe(false);
  });
});
