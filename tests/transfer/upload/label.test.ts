import { describe, expect, it } from 'vitest';
import {
  isLabelOf,
  labelOf,
  openLabel,
  sealLabel,
  transferOf,
  versionOf,
} from '../../../src/lib/transfer/upload/label.ts';
import { refusalCode } from '../../crypto/refusal.ts';

const WHERE = { vault: 'vault', epoch: 1, blob: 'blob' };
const VAULT_KEY = new Uint8Array(32).fill(7);
const picked = (
  name = 'tax.pdf',
  more: Partial<{ content: string; type: string; lastModified: number }> = {},
) =>
  new File([more.content ?? 'abc'], name, {
    type: 'application/pdf',
    lastModified: 1_700_000_000_123,
    ...more,
  });

describe('the label of a file that was picked', () => {
  it('says what the journal will say of it, and the file gets an id of its own', () => {
    const [label, other] = [labelOf(picked(), 7), labelOf(picked(), 7)];
    expect(label).toMatchObject({
      ...{ name: 'tax.pdf', mediaType: 'application/pdf', sizeBytes: 3, addedAtMs: 7 },
      modifiedAtMs: 1_700_000_000_123,
    });
    expect(label.file).not.toBe(other.file);
    const sealed = { blob: 'b', epoch: 1, sealedBytes: 200, partBytes: 100, digest: 'd' };
    const { mediaType, sizeBytes, modifiedAtMs, addedAtMs } = label;
    const version = { ...sealed, mediaType, sizeBytes, modifiedAtMs, addedAtMs };
    expect(versionOf(label, sealed)).toEqual(version);
  });

  it('of a new version says of which, and its transfer has an id of its own', () => {
    const place = { folder: 'folder', versionOf: 'file' };
    const [label, other] = [labelOf(picked(), 7, place), labelOf(picked(), 7, place)];
    expect(label).toMatchObject({ file: 'file', folder: 'folder' });
    expect(new Set([transferOf(label), transferOf(other), 'file']).size).toBe(3);
    const fresh = labelOf(picked(), 7);
    expect(transferOf(fresh)).toBe(fresh.file);
  });

  it('takes a time before 1970 for 1970', () => {
    expect(labelOf(picked('a', { lastModified: -5 }), 0).modifiedAtMs).toBe(0);
  });

  it.each<[string, File, boolean]>([
    ['the same', picked(), true],
    ['one of another type, which a browser may guess otherwise', picked('tax.pdf', { type: '' }), true],
    ['one of another name', picked('tax2.pdf'), false],
    ['one of another size', picked('tax.pdf', { content: 'abcd' }), false],
    ['one that was changed since', picked('tax.pdf', { lastModified: 1 }), false],
  ])('tells whether a file picked again can be the same: %s', (_case, again, can) => {
    expect(isLabelOf(labelOf(picked(), 7), again)).toBe(can);
  });
});

describe('a label that rests on this device', () => {
  it('opens as it was sealed', async () => {
    const label = labelOf(picked('Brief an 旅.txt'), 7);
    expect(await openLabel(VAULT_KEY, WHERE, await sealLabel(VAULT_KEY, WHERE, label))).toEqual(label);
  });

  it('says of one from before there were folders that it is for the top one', async () => {
    const { folder, ...before } = labelOf(picked(), 7);
    const sealed = await sealLabel(VAULT_KEY, WHERE, before as ReturnType<typeof labelOf>);
    expect(await openLabel(VAULT_KEY, WHERE, sealed)).toEqual({ ...before, folder: '' });
    expect(folder).toBe('');
  });

  it('opens for no other vault, blob, epoch or key, nor damaged', async () => {
    const sealed = await sealLabel(VAULT_KEY, WHERE, labelOf(picked(), 7));
    for (const change of [{ vault: 'x' }, { blob: 'x' }, { epoch: 2 }]) {
      expect(await refusalCode(openLabel(VAULT_KEY, { ...WHERE, ...change }, sealed))).toBe(
        'device_state_lost',
      );
    }
    expect(await refusalCode(openLabel(new Uint8Array(32), WHERE, sealed))).toBe('device_state_lost');
    sealed[sealed.length - 1]! ^= 1;
    expect(await refusalCode(openLabel(VAULT_KEY, WHERE, sealed))).toBe('device_state_lost');
  });

  it('has the same size for most names', async () => {
    const sizes = await Promise.all(
      ['a', 'x'.repeat(200)].map(
        async (name) => (await sealLabel(VAULT_KEY, WHERE, labelOf(picked(name), 7))).length,
      ),
    );
    expect(sizes[0]).toBe(sizes[1]);
  });
});
