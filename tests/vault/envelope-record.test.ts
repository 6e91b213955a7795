import { expect, it } from 'vitest';
import * as v from 'valibot';
import { EnvelopeRecord } from '$contract/envelope.ts';
import { sealEnvelope } from '../../src/lib/crypto/envelope.ts';
import { randomBytes } from '../../src/lib/crypto/random.ts';
import { fromRecord, toRecord } from '../../src/lib/vault/envelope-record.ts';

const envelope = () =>
  sealEnvelope({
    ...{ purpose: 'file', vault: 'vault', blob: 'blob', epoch: 7 },
    ...{ contentKey: randomBytes(32), kmsHalf: randomBytes(32), vaultKey: randomBytes(32) },
    kmsBlob: randomBytes(184),
  });

it('writes an envelope as the contract takes it, and reads it back whole', async () => {
  const sealed = await envelope();
  const record = toRecord(sealed);
  expect(v.parse(EnvelopeRecord, JSON.parse(JSON.stringify(record)))).toEqual(record);
  expect(fromRecord(record)).toEqual(sealed);
});

it.each(['salt', 'kmsBlob', 'sealedKey'] as const)(
  'reads no record whose %s is not base64url',
  async (field) => {
    const record = { ...toRecord(await envelope()), [field]: 'a+/=' };
    expect(() => fromRecord(record)).toThrow(expect.objectContaining({ code: 'envelope_corrupt' }));
  },
);
