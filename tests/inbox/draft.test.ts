import { beforeAll, describe, expect, test } from 'vitest';
import { concat, toHex, u32be, utf8, type Bytes } from '../../src/lib/bytes.ts';
import { sealAad } from '../../src/lib/crypto/aad.ts';
import { openFrom, sealTo } from '../../src/lib/crypto/agreement.ts';
import { paddedContent } from '../../src/lib/inbox/content.ts';
import { DRAFT_BYTES, draftEpoch, openDraft, sealDraft, type Draft } from '../../src/lib/inbox/draft.ts';
import { sealRecord } from '../../src/lib/inbox/record.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { idOf } from '../journal/world.ts';
import { captured, newDevice, newInboxPair, VAULT, type InboxPair } from './inbox-world.ts';

const { file, folder, name, contentKey, version } = captured();
const { blob, epoch, sizeBytes, mediaType, modifiedAtMs, addedAtMs } = version;
const DRAFT: Draft = {
  ...{ file, folder, name, contentKey, blob, epoch },
  ...{ sizeBytes, mediaType, modifiedAtMs, addedAtMs },
};
const WHERE = { vault: VAULT, blob };

let pair: InboxPair;
let sealed: Bytes;
beforeAll(async () => {
  pair = await newInboxPair(5);
  sealed = await sealDraft(DRAFT, { vault: VAULT, inbox: pair.inbox });
});

const open = (bytes: Bytes, where = WHERE, key = pair.key): Promise<Draft> => openDraft(bytes, where, key);

describe('a draft', () => {
  test('opens to what it was made of, and says its epoch to anybody', async () => {
    expect(draftEpoch(sealed)).toBe(5);
    expect(await open(sealed)).toEqual(DRAFT);
    expect(toHex(await sealDraft(DRAFT, { vault: VAULT, inbox: pair.inbox }))).not.toBe(toHex(sealed));
  });

  test.each<[string, Partial<Draft>]>([
    ['a short name', { name: 'a', folder: '', mediaType: '' }],
    [
      'everything at its longest',
      {
        name: 'x'.repeat(255),
        epoch: 2 ** 31 - 1,
        sizeBytes: Number.MAX_SAFE_INTEGER,
        mediaType: 'x'.repeat(255),
        modifiedAtMs: -8.64e15,
        addedAtMs: -8.64e15,
      },
    ],
  ])('is 1,080 bytes long with %s', async (_, more) => {
    const draft = { ...DRAFT, ...more };
    const bytes = await sealDraft(draft, { vault: VAULT, inbox: pair.inbox });
    expect([bytes.length, DRAFT_BYTES]).toEqual([1080, 1080]);
    expect(await open(bytes)).toEqual(draft);
  });

  test.each<[string, Partial<Draft>]>([
    ['a name with a slash', { name: 'a/b' }],
    ['a content key of 31 bytes', { contentKey: new Uint8Array(31) }],
    ['half a byte', { sizeBytes: 0.5 }],
    ['no blob', { blob: '' }],
  ])('is not written with %s', async (_, more) => {
    await expect(sealDraft({ ...DRAFT, ...more }, { vault: VAULT, inbox: pair.inbox })).rejects.toThrow(
      TypeError,
    );
  });

  test('is lost with a bit flipped, in every byte', async () => {
    for (let offset = 8; offset < sealed.length; offset++) {
      const bytes = sealed.slice();
      bytes[offset]! ^= 1 << (offset & 7);
      expect(await refusalCode(open(bytes))).toBe('device_state_lost');
    }
  });

  test('is lost with another magic or length, and does not pass for another epoch', async () => {
    for (let bit = 0; bit < 32; bit++) {
      const bytes = sealed.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(await refusalCode(Promise.resolve().then(() => draftEpoch(bytes)))).toBe('device_state_lost');
    }
    for (const length of [0, 8, 56, 1079]) {
      expect(await refusalCode(open(sealed.slice(0, length)))).toBe('device_state_lost');
    }
    expect(await refusalCode(open(concat(sealed, Uint8Array.of(0))))).toBe('device_state_lost');
    const later = concat(sealed.subarray(0, 4), u32be(6), sealed.subarray(8));
    expect(draftEpoch(later)).toBe(6);
    await expect(open(later)).rejects.toThrow(RangeError);
    expect(await refusalCode(open(later, WHERE, { ...pair.key, epoch: 6 }))).toBe('device_state_lost');
  });

  test('is lost at another place or under another key', async () => {
    const other = await newInboxPair(5);
    expect(await refusalCode(open(sealed, WHERE, other.key))).toBe('device_state_lost');
    expect(await refusalCode(open(sealed, { ...WHERE, blob: idOf('blob', 8) }))).toBe('device_state_lost');
    expect(await refusalCode(open(sealed, { ...WHERE, vault: 'other' }))).toBe('device_state_lost');
  });

  test('is no record, and a record is no draft', async () => {
    const device = await newDevice(1);
    const record = await sealRecord(captured(), { vault: VAULT, inbox: pair.inbox, device });
    const disguised = concat(sealed.subarray(0, 8), record.subarray(88));
    expect(disguised).toHaveLength(1080);
    expect(await refusalCode(open(disguised))).toBe('device_state_lost');
  });

  test.each<[string, Uint8Array]>([
    ['no CBOR', Uint8Array.of(0xff)],
    ['nothing', new Uint8Array(0)],
    ['an empty array', Uint8Array.of(0x80)],
    ['two values', Uint8Array.of(0x80, 0x80)],
    ['a thousand arrays', new Uint8Array(1000).fill(0x81)],
  ])('is lost with %s inside', async (_, content) => {
    const head = concat(utf8('HKD1'), u32be(5));
    const info = sealAad('draft', VAULT, blob, 5);
    const bytes = concat(head, await sealTo(pair.inbox.publicKey, info, head, paddedContent(content)));
    expect(await refusalCode(open(bytes))).toBe('device_state_lost');
  });

  test('is lost when it was made of another blob than it lies beside', async () => {
    const other = await sealDraft({ ...DRAFT, blob: idOf('blob', 8) }, { vault: VAULT, inbox: pair.inbox });
    expect(await refusalCode(open(other))).toBe('device_state_lost');
    // The same content, sealed once more for the place where it is: anybody can who has the public key.
    const [head, body] = [other.slice(0, 8), other.slice(8)];
    const { privateKey, publicKey } = pair.key;
    const opened = await openFrom(
      privateKey,
      publicKey,
      sealAad('draft', VAULT, idOf('blob', 8), 5),
      head,
      body,
    );
    const moved = await sealTo(publicKey, sealAad('draft', VAULT, blob, 5), head, opened);
    expect(await refusalCode(open(concat(head, moved)))).toBe('device_state_lost');
  });
});
