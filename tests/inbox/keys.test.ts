import { beforeAll, expect, test } from 'vitest';
import { toHex, utf8 } from '../../src/lib/bytes.ts';
import { openFrom, sealTo } from '../../src/lib/crypto/agreement.ts';
import { sealEnvelope, type Envelope } from '../../src/lib/crypto/envelope.ts';
import { createInboxKey, openInboxKey } from '../../src/lib/inbox/keys.ts';
import type { InboxKey } from '../../src/lib/journal/entries/operations.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { idOf } from '../journal/world.ts';
import { HALVES } from './inbox-world.ts';

const KMS_BLOB = utf8('what KMS gave');
const NAMED = { blob: idOf('inbox', 4), epoch: 4 };
const ZEROS = new Uint8Array(32);

let inbox: InboxKey;
let envelope: Envelope;
beforeAll(async () => {
  ({ inbox, envelope } = await createInboxKey({ ...HALVES, kmsBlob: KMS_BLOB }, NAMED));
});

test('an inbox key is a new pair each time, named by blob and epoch', async () => {
  expect(inbox).toEqual({ ...NAMED, publicKey: expect.any(Uint8Array) as unknown });
  const again = await createInboxKey({ ...HALVES, kmsBlob: KMS_BLOB }, NAMED);
  expect(toHex(again.inbox.publicKey)).not.toBe(toHex(inbox.publicKey));
});

test('both halves open its envelope, and what is sealed to it', async () => {
  const key = await openInboxKey({ ...HALVES, envelope }, inbox);
  expect([key.epoch, toHex(key.publicKey)]).toEqual([4, toHex(inbox.publicKey)]);
  const sealed = await sealTo(inbox.publicKey, utf8('i'), utf8('a'), utf8('text'));
  const opened = await openFrom(key.privateKey, key.publicKey, utf8('i'), utf8('a'), sealed);
  expect(toHex(opened)).toBe(toHex(utf8('text')));
});

test('neither half alone opens it, nor both at another place', async () => {
  const refused = (more: object, named = inbox) =>
    refusalCode(openInboxKey({ ...HALVES, envelope, ...more }, named));
  expect(await refused({ kmsHalf: ZEROS })).toBe('kms_half_wrong');
  expect(await refused({ vaultKey: ZEROS })).toBe('kms_half_wrong');
  expect(await refused({ kmsHalf: ZEROS.subarray(1) })).toBe('kms_half_wrong');
  expect(await refused({ vault: 'other' })).toBe('kms_half_wrong');
  expect(await refused({}, { ...inbox, blob: idOf('inbox', 5) })).toBe('kms_half_wrong');
  expect(await refused({ epoch: 2 })).toBe('envelope_corrupt');
});

test('an envelope of a file is none of an inbox key, though all else is the same', async () => {
  const contentKey = (await openInboxKey({ ...HALVES, envelope }, inbox)).privateKey;
  const ofFile = await sealEnvelope({
    ...HALVES,
    ...NAMED,
    epoch: 1,
    purpose: 'file',
    contentKey,
    kmsBlob: KMS_BLOB,
  });
  expect(await refusalCode(openInboxKey({ ...HALVES, envelope: ofFile }, inbox))).toBe('envelope_corrupt');
  const renamed = { ...ofFile, purpose: 'inbox' } as const;
  expect(await refusalCode(openInboxKey({ ...HALVES, envelope: renamed }, inbox))).toBe('kms_half_wrong');
});

test('refuses another key in the envelope than the journal names', async () => {
  const other = await createInboxKey({ ...HALVES, kmsBlob: KMS_BLOB }, NAMED);
  expect(await refusalCode(openInboxKey({ ...HALVES, envelope }, other.inbox))).toBe('envelope_corrupt');
  const nonsense = { ...inbox, publicKey: ZEROS };
  expect(await refusalCode(openInboxKey({ ...HALVES, envelope }, nonsense))).toBe('envelope_corrupt');
});
