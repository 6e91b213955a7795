import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { concat, fromB64Url, lengthPrefixed, toHex, u32be, utf8, type Bytes } from '../../src/lib/bytes.ts';
import { sealAad } from '../../src/lib/crypto/aad.ts';
import { sealTo } from '../../src/lib/crypto/agreement.ts';
import { sha256 } from '../../src/lib/crypto/digest.ts';
import { paddedContent } from '../../src/lib/inbox/content.ts';
import {
  openRecord,
  readRecord,
  RECORD_BYTES,
  sealRecord,
  type CapturedFile,
} from '../../src/lib/inbox/record.ts';
import { encodeOperation } from '../../src/lib/journal/entries/operation-codec.ts';
import type { Operation } from '../../src/lib/journal/entries/operations.ts';
import { sign } from '../../src/lib/crypto/signing.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { idOf } from '../journal/world.ts';
import {
  captured,
  newDevice,
  newInboxPair,
  newInboxWorld,
  VAULT,
  type InboxDevice,
  type InboxPair,
  type InboxWorld,
} from './inbox-world.ts';

const BLOB = captured().version.blob;
const WHERE = { vault: VAULT, blob: BLOB };
const OTHER_VAULT = VAULT.replace('eu', 'us');

let world: InboxWorld;
let record: Bytes;
beforeAll(async () => {
  world = await newInboxWorld();
  record = await sealOne();
});

/** A record of the laptop, sealed to the newest key. */
async function sealOne(file = captured(), device = world.laptop, { inbox } = world.keys[2]): Promise<Bytes> {
  return sealRecord(file, { vault: VAULT, inbox, device });
}

/** Reads and opens a record as an adopting device does. */
async function openOne(bytes: Bytes, where = WHERE): Promise<CapturedFile> {
  const signed = await readRecord(world.state, where.vault, where.blob, bytes);
  return openRecord(signed, where, world.keys[signed.inboxEpoch]!.key);
}

const read = (bytes: Bytes, blob = BLOB, vault = VAULT) => readRecord(world.state, vault, blob, bytes);

describe('an inbox record', () => {
  test('opens to what was captured, and says which device and key it is of', async () => {
    const signed = await read(record);
    expect(signed).toMatchObject({ inboxEpoch: 2, device: world.laptop.id });
    expect(await openOne(record)).toEqual(captured());
  });

  test('of an older key that lives opens too', async () => {
    const older = await sealOne(captured(), world.phone, world.keys[1]);
    expect(await openOne(older)).toEqual(captured());
  });

  test('never comes out the same twice', async () => {
    expect(toHex(await sealOne())).not.toBe(toHex(record));
  });

  const { version } = captured();
  test.each<[string, Partial<CapturedFile>]>([
    ['a name of one byte', { name: 'a' }],
    ['the longest name', { name: 'é'.repeat(127) + 'x' }],
    ['the top folder', { folder: '' }],
    ['no media type', { version: { ...version, mediaType: '' } }],
    [
      'everything at its longest',
      {
        name: '🗝'.repeat(63) + 'abc',
        version: {
          blob: version.blob,
          epoch: 2 ** 31 - 1,
          sizeBytes: Number.MAX_SAFE_INTEGER,
          sealedBytes: Number.MAX_SAFE_INTEGER,
          partBytes: 2 ** 31 - 1,
          digest: `${version.digest}-99999`,
          mediaType: 'x'.repeat(255),
          modifiedAtMs: -8.64e15,
          addedAtMs: 8.64e15,
        },
      },
    ],
  ])('is 1,160 bytes long with %s', async (_, more) => {
    const sealed = await sealOne(captured(more));
    expect([sealed.length, RECORD_BYTES]).toEqual([1160, 1160]);
    expect(await openOne(sealed)).toEqual(captured(more));
  });

  test('holds whatever name, ids and sizes a file can have', async () => {
    const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => idOfBytes(bytes));
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
      .map((text) => text.normalize('NFC'))
      .filter((text) => utf8(text).length <= 255 && !/[/\p{Cc}]/u.test(text) && !/^\.{1,2}$/.test(text));
    const files = fc.record({
      file: id,
      folder: fc.oneof(id, fc.constant('')),
      name,
      contentKey: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Uint8Array(bytes)),
      version: fc.record({
        blob: id,
        epoch: fc.nat(2 ** 31 - 1),
        sizeBytes: fc.maxSafeNat(),
        sealedBytes: fc.maxSafeNat(),
        partBytes: fc.nat(2 ** 31 - 1),
        digest: fc.constantFrom(version.digest, `${version.digest}-2`),
        mediaType: fc.string({ unit: 'grapheme-ascii', maxLength: 255 }),
        modifiedAtMs: fc.integer({ min: -8.64e15, max: 8.64e15 }),
        addedAtMs: fc.integer({ min: -8.64e15, max: 8.64e15 }),
      }),
    });
    await fc.assert(
      fc.asyncProperty(files, async (file) => {
        const where = { vault: VAULT, blob: file.version.blob };
        const sealed = await sealOne(file);
        expect(sealed).toHaveLength(1160);
        expect(await openOne(sealed, where)).toEqual(file);
      }),
      { seed: 51, numRuns: 200 },
    );
  });

  test.each<[string, Partial<CapturedFile>]>([
    ['a name with a slash', { name: 'a/b' }],
    ['a name of 256 bytes', { name: 'x'.repeat(256) }],
    ['a file without an id', { file: '' }],
    ['a folder that is none', { folder: 'x' }],
    ['a digest that is none', { version: { ...version, digest: 'x' } }],
    ['a length that is none', { version: { ...version, sizeBytes: -1 } }],
  ])('is not written with %s', async (_, more) => {
    await expect(sealOne(captured(more))).rejects.toThrow(TypeError);
  });

  test.each([0, 31, 33])('is not written with a content key of %i bytes', async (sizeBytes) => {
    await expect(sealOne(captured({ contentKey: new Uint8Array(sizeBytes) }))).rejects.toThrow(RangeError);
  });
});

function idOfBytes(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

describe('is refused', () => {
  test('with any of its 9,280 bits flipped', async () => {
    const outcomes = new Set<string>();
    for (let bit = 0; bit < 8 * record.length; bit++) {
      const bytes = record.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      outcomes.add(await refusalCode(read(bytes)));
    }
    expect([...outcomes]).toEqual(['inbox_refused']);
  });

  test.each([0, 1, 23, 24, 88, 136, 1159, 1161, 8192])('at a length of %i bytes', async (sizeBytes) => {
    const bytes = new Uint8Array(sizeBytes);
    bytes.set(record.subarray(0, sizeBytes));
    expect(await refusalCode(read(bytes))).toBe('inbox_refused');
  });

  test('in another vault, or beside another blob', async () => {
    expect(await refusalCode(read(record, BLOB, OTHER_VAULT))).toBe('inbox_refused');
    expect(await refusalCode(read(record, idOf('blob', 8)))).toBe('inbox_refused');
    expect(await refusalCode(read(record, ''))).toBe('inbox_refused');
  });

  test('of a device that was revoked, or that nobody has enrolled', async () => {
    expect(await refusalCode(read(await sealOne(captured(), world.stolen)))).toBe('inbox_refused');
    expect(await refusalCode(read(await sealOne(captured(), await newDevice(4))))).toBe('inbox_refused');
    // A stranger under a trusted device's name, and the identity key's "device".
    const strangers = await newDevice(1);
    expect(await refusalCode(read(await sealOne(captured(), strangers)))).toBe('inbox_refused');
    const nobody = { ...world.laptop, id: 'A'.repeat(22) };
    expect(await refusalCode(read(await sealOne(captured(), nobody)))).toBe('inbox_refused');
  });

  test('of a device that was revoked, but for the very bytes that rest with the reader', async () => {
    const [own, other] = [await sealOne(captured(), world.stolen), await sealOne(captured(), world.stolen)];
    const signed = await readRecord(world.state, VAULT, BLOB, own, own.slice());
    expect(await openRecord(signed, WHERE, world.keys[2].key)).toEqual(captured());
    expect(await refusalCode(readRecord(world.state, VAULT, BLOB, other, own))).toBe('inbox_refused');
    expect(await refusalCode(readRecord(world.state, VAULT, idOf('blob', 8), own, own))).toBe(
      'inbox_refused',
    );
    const nobodys = await sealOne(captured(), await newDevice(4));
    expect(await refusalCode(readRecord(world.state, VAULT, BLOB, nobodys, nobodys))).toBe('inbox_refused');
  });

  test('sealed to a key that is retired, or that the journal does not have', async () => {
    for (const pair of [world.keys[0], await newInboxPair(3)]) {
      expect(await refusalCode(read(await sealOne(captured(), world.laptop, pair)))).toBe('inbox_refused');
    }
  });

  test('when its signature is another record’s', async () => {
    const other = await sealOne();
    const mixed = concat(record.subarray(0, 24), other.subarray(24, 88), record.subarray(88));
    expect(await refusalCode(read(mixed))).toBe('inbox_refused');
  });

  test('when opened at another place than it was read at', async () => {
    const signed = await read(record);
    const { key } = world.keys[2];
    for (const where of [
      { ...WHERE, vault: OTHER_VAULT },
      { ...WHERE, blob: idOf('blob', 8) },
    ]) {
      expect(await refusalCode(openRecord(signed, where, key))).toBe('inbox_refused');
    }
  });

  test('when opened with another key of the same epoch; a key of another epoch is a mistake', async () => {
    const signed = await read(record);
    const other = await newInboxPair(2);
    expect(await refusalCode(openRecord(signed, WHERE, other.key))).toBe('inbox_refused');
    await expect(openRecord(signed, WHERE, world.keys[1].key)).rejects.toThrow(RangeError);
  });
});

/** A record as a trusted device makes it that means ill: any plaintext, any place, rightly sealed and signed. */
async function forged(
  content: Bytes,
  device: InboxDevice = world.phone,
  sealedAt: { vault: string; blob: string } = WHERE,
  { inbox }: InboxPair = world.keys[2],
): Promise<Bytes> {
  const head = concat(utf8('HKI1'), u32be(inbox.epoch), fromB64Url(device.id));
  const info = sealAad('inbox', sealedAt.vault, sealedAt.blob, inbox.epoch);
  return signedBy(device, head, await sealTo(inbox.publicKey, info, head, content));
}

async function signedBy(device: InboxDevice, head: Bytes, sealed: Bytes): Promise<Bytes> {
  const message = lengthPrefixed('halfkey/inbox/1', VAULT, BLOB, head, await sha256(sealed));
  return concat(head, await sign(device.privateKey, message), sealed);
}

describe('from a trusted device that means ill', () => {
  const { contentKey, version, ...rest } = captured();
  const fileAdd = { kind: 'file-add', ...rest, version } as const;
  const content = (operation: Operation): Bytes =>
    paddedContent(concat(contentKey, encodeOperation(operation)));
  const good = content(fileAdd);
  const changed = (change: (bytes: Bytes) => void): Bytes => {
    const bytes = good.slice();
    change(bytes);
    return bytes;
  };

  test('is good as long as nothing is wrong with it', async () => {
    expect(await openOne(await forged(good))).toEqual(captured());
  });

  test.each<[string, Bytes]>([
    ['another blob', content({ ...fileAdd, version: { ...version, blob: idOf('blob', 8) } })],
    ['a version of a file', content({ kind: 'version-add', file: rest.file, version })],
    ['a purge', content({ kind: 'purge', entry: rest.file })],
    ['two files', paddedContent(concat(contentKey, encodeOperation(fileAdd), encodeOperation(fileAdd)))],
    [
      'a file and bytes behind it',
      paddedContent(concat(contentKey, encodeOperation(fileAdd), Uint8Array.of(0))),
    ],
    ['a key alone', paddedContent(contentKey)],
    ['half a key', paddedContent(contentKey.subarray(16))],
    ['nothing', new Uint8Array(1024)],
    ['no bytes', new Uint8Array(0)],
    ['less padding', good.subarray(0, 1023)],
    ['more padding', concat(good, Uint8Array.of(0))],
    ['padding that is not zero', changed((bytes) => (bytes[1023] = 1))],
    [
      'a length beyond the content',
      changed((bytes) => {
        bytes.set(u32be(1021));
      }),
    ],
    [
      'a length far beyond',
      changed((bytes) => {
        bytes.set(u32be(2 ** 32 - 1));
      }),
    ],
    [
      'a length that is too short',
      changed((bytes) => {
        bytes.set(u32be(40));
      }),
    ],
    ['an operation that is none', paddedContent(concat(contentKey, new Uint8Array(200).fill(0x81)))],
  ])('is refused with %s inside', async (_, plaintext) => {
    expect(await refusalCode(openOne(await forged(plaintext)))).toBe('inbox_refused');
  });

  test.each([
    ['vault', { ...WHERE, vault: OTHER_VAULT }],
    ['blob', { ...WHERE, blob: idOf('blob', 8) }],
  ])('is refused when it was sealed for another %s', async (_, sealedAt) => {
    expect(await refusalCode(openOne(await forged(good, world.phone, sealedAt)))).toBe('inbox_refused');
  });

  test('is refused when it signs what another device sealed, or says another epoch', async () => {
    const sealed = record.slice(88);
    const head = concat(utf8('HKI1'), u32be(2), fromB64Url(world.phone.id));
    const stolen = await signedBy(world.phone, head, sealed);
    expect((await read(stolen)).device).toBe(world.phone.id);
    expect(await refusalCode(openOne(stolen))).toBe('inbox_refused');
    const older = concat(utf8('HKI1'), u32be(1), fromB64Url(world.laptop.id));
    expect(await refusalCode(openOne(await signedBy(world.laptop, older, sealed)))).toBe('inbox_refused');
  });
});
