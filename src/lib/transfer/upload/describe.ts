import { utf8 } from '../../bytes.ts';
import { MAX_NAME_BYTES, normalName, toName } from '../../journal/entries/names.ts';

const ANY_TYPE = 'application/octet-stream';
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;

/** The media type that a browser says, where it is one at all. */
export function acceptableType(type: string): string {
  return MEDIA_TYPE.test(type) ? type : ANY_TYPE;
}

/**
 * The picked file's name, or the nearest to it that the journal takes: a file is not refused for its name.
 * "/" and control characters become "_"; what is too long loses the end of its stem.
 */
export function acceptableName(name: string): string {
  const plain = normalName(name);
  if (plain !== undefined) return plain;
  const clean = name
    .toWellFormed()
    .normalize('NFC')
    .replace(/[/\p{Cc}]/gu, '_');
  if (clean === '' || clean === '.' || clean === '..') return toName(`file${clean}`);
  const dot = clean.lastIndexOf('.');
  const extension = dot > 0 && clean.length - dot <= 16 ? clean.slice(dot) : '';
  const stem = Array.from(clean.slice(0, clean.length - extension.length));
  while (utf8(stem.join('') + extension).length > MAX_NAME_BYTES) stem.pop();
  return toName(stem.join('') + extension);
}
