import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../iam/fixture.ts';
import { KeyId, b64, call, context, fault, openKms } from './fixture.ts';

describe('data keys', () => {
  it.each([
    [{ KeySpec: 'AES_256' }, 32],
    [{ KeySpec: 'AES_128' }, 16],
    [{ NumberOfBytes: 1 }, 1],
    [{ NumberOfBytes: 1024 }, 1024],
  ])('of %j come back from Decrypt under the same context', async (size, bytes) => {
    const kms = await openKms(temporaryFolder());
    const made = await call(kms, 'GenerateDataKey', { KeyId, ...size, EncryptionContext: context });
    expect(made).toMatchObject({ status: 200, body: { KeyId: kms.keyArn } });
    const { CiphertextBlob, Plaintext } = made.body;
    expect(Buffer.from(Plaintext!, 'base64')).toHaveLength(bytes);
    expect(Buffer.from(CiphertextBlob!, 'base64')).toHaveLength(bytes + 65);
    expect(await call(kms, 'Decrypt', { CiphertextBlob, EncryptionContext: context })).toEqual({
      status: 200,
      body: { KeyId: kms.keyArn, Plaintext, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
    });
  });

  it.each([
    {},
    { KeySpec: 'AES_256', NumberOfBytes: 32 },
    { KeySpec: 'AES_512' },
    { NumberOfBytes: 0 },
    { NumberOfBytes: 1025 },
    { NumberOfBytes: 1.5 },
    { NumberOfBytes: '32' },
  ])('of %j are refused', async (size) => {
    expect(await fault(await openKms(temporaryFolder()), 'GenerateDataKey', { KeyId, ...size })).toBe(
      'ValidationException',
    );
  });

  it('never repeat, key or blob', async () => {
    const kms = await openKms(temporaryFolder());
    const made = await Promise.all(
      Array.from({ length: 1000 }, () => call(kms, 'GenerateDataKey', { KeyId, KeySpec: 'AES_256' })),
    );
    expect(new Set(made.map(({ body }) => body['Plaintext'])).size).toBe(1000);
    expect(new Set(made.map(({ body }) => body['CiphertextBlob'])).size).toBe(1000);
  });

  it('survive a restart', async () => {
    const folder = temporaryFolder();
    const before = await openKms(folder);
    const { CiphertextBlob, Plaintext } = (
      await call(before, 'GenerateDataKey', { KeyId, KeySpec: 'AES_256' })
    ).body;
    const after = await openKms(folder);
    expect(after.keyArn).toBe(before.keyArn);
    expect((await call(after, 'Decrypt', { CiphertextBlob })).body['Plaintext']).toBe(Plaintext);
  });
});

describe('the encryption context', () => {
  it('is compared whatever its order, to the last character, and pair by pair', async () => {
    const kms = await openKms(temporaryFolder());
    const seal = { KeyId, Plaintext: b64(16), EncryptionContext: { a: 'bc', d: 'e', ä: '1' } };
    const { CiphertextBlob } = (await call(kms, 'Encrypt', seal)).body;
    const open = (EncryptionContext?: object) => call(kms, 'Decrypt', { CiphertextBlob, EncryptionContext });
    expect((await open({ ä: '1', d: 'e', a: 'bc' })).body['Plaintext']).toBe(b64(16));
    const others = [
      undefined,
      {},
      { a: 'bc', d: 'e' },
      { a: 'bc', d: 'e', ä: '2' },
      { A: 'bc', d: 'e', ä: '1' },
      { ab: 'c', d: 'e', ä: '1' },
      { a: 'b', cd: 'e', ä: '1' },
      { a: 'bc', d: 'e', 'a\u0308': '1' },
      { a: 'bc', d: 'e', ä: '1', __proto: '' },
      JSON.parse('{"a":"bc","d":"e","ä":"1","__proto__":"x"}') as object,
      JSON.parse('{"a":"bc","d":"e","ä":"1","constructor":"x"}') as object,
    ];
    for (const other of others) expect((await open(other)).body['__type']).toBe('InvalidCiphertextException');
  });

  it('may have names that mean something to JavaScript', async () => {
    const kms = await openKms(temporaryFolder());
    const EncryptionContext = JSON.parse('{"__proto__":"x","constructor":"y","toString":"z"}') as object;
    const { CiphertextBlob } = (await call(kms, 'Encrypt', { KeyId, Plaintext: b64(1), EncryptionContext }))
      .body;
    expect((await call(kms, 'Decrypt', { CiphertextBlob, EncryptionContext })).status).toBe(200);
    expect(await fault(kms, 'Decrypt', { CiphertextBlob, EncryptionContext: {} })).toBe(
      'InvalidCiphertextException',
    );
  });

  it('may have 8192 bytes, and no half of a surrogate pair, which would be two contexts in one', async () => {
    const kms = await openKms(temporaryFolder());
    const seal = (EncryptionContext: unknown) =>
      call(kms, 'Encrypt', { KeyId, Plaintext: b64(1), EncryptionContext });
    expect((await seal({ a: 'x'.repeat(8191) })).status).toBe(200);
    for (const refused of [
      { a: 'x'.repeat(8192) },
      { a: '\ud800' },
      { '\udfff': 'a' },
      { '': 'a' },
      { a: 1 },
      [],
      'a',
      null,
    ]) {
      expect((await seal(refused)).body['__type']).toBe('ValidationException');
    }
  });
});

describe('Encrypt and ReEncrypt', () => {
  it.each([
    [0, 'ValidationException'],
    [1, undefined],
    [4096, undefined],
    [4097, 'ValidationException'],
  ])('takes or refuses %s bytes of plaintext: %s', async (bytes, expected) => {
    const kms = await openKms(temporaryFolder());
    const { body } = await call(kms, 'Encrypt', { KeyId, Plaintext: b64(bytes) });
    expect(body['__type']).toBe(expected);
  });

  it('ReEncrypt moves a plaintext from one context to another', async () => {
    const kms = await openKms(temporaryFolder());
    const { CiphertextBlob } = (
      await call(kms, 'Encrypt', { KeyId, Plaintext: b64(32), EncryptionContext: { a: '1' } })
    ).body;
    const input = { CiphertextBlob, DestinationKeyId: KeyId, DestinationEncryptionContext: { a: '2' } };
    expect(await fault(kms, 'ReEncrypt', input)).toBe('InvalidCiphertextException');
    const moved = await call(kms, 'ReEncrypt', { ...input, SourceEncryptionContext: { a: '1' } });
    expect(moved).toMatchObject({ status: 200, body: { SourceKeyId: kms.keyArn, KeyId: kms.keyArn } });
    const open = (EncryptionContext: object) =>
      call(kms, 'Decrypt', { CiphertextBlob: moved.body['CiphertextBlob'], EncryptionContext });
    expect((await open({ a: '2' })).body['Plaintext']).toBe(b64(32));
    expect((await open({ a: '1' })).body['__type']).toBe('InvalidCiphertextException');
  });

  it('ReEncrypt is two rights, each for its own context', async () => {
    const asked: string[] = [];
    const kms = await openKms(temporaryFolder(), ({ action, context: { 'kms:EncryptionContext:a': a } }) => {
      asked.push(`${action} ${String(a)}`);
      return action !== 'kms:ReEncryptTo';
    });
    const { CiphertextBlob } = (
      await call(kms, 'Encrypt', { KeyId, Plaintext: b64(1), EncryptionContext: { a: '1' } })
    ).body;
    const input = {
      CiphertextBlob,
      SourceEncryptionContext: { a: '1' },
      DestinationKeyId: KeyId,
      DestinationEncryptionContext: { a: '2' },
    };
    expect(await fault(kms, 'ReEncrypt', input)).toBe('AccessDeniedException');
    expect(asked).toEqual(['kms:Encrypt 1', 'kms:ReEncryptFrom 1', 'kms:ReEncryptTo 2']);
  });
});

describe('blobs', () => {
  it('with any bit changed, cut at any place or lengthened do not open, and say no more than that', async () => {
    const kms = await openKms(temporaryFolder());
    const { CiphertextBlob = '' } = (await call(kms, 'GenerateDataKey', { KeyId, KeySpec: 'AES_256' })).body;
    const bytes = Buffer.from(CiphertextBlob, 'base64');
    const open = (blob: Uint8Array) =>
      fault(kms, 'Decrypt', { CiphertextBlob: Buffer.from(blob).toString('base64') });
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(await open(changed)).toBe('InvalidCiphertextException');
    }
    for (let length = 1; length < bytes.length; length++) {
      expect(await open(bytes.subarray(0, length))).toBe('InvalidCiphertextException');
    }
    expect(await open(Buffer.concat([bytes, Buffer.alloc(1)]))).toBe('InvalidCiphertextException');
  });

  it('of another KMS do not open; who names a key is told that it is the wrong one', async () => {
    const kms = await openKms(temporaryFolder());
    const other = await openKms(temporaryFolder());
    const { CiphertextBlob } = (await call(other, 'GenerateDataKey', { KeyId, KeySpec: 'AES_256' })).body;
    expect(await fault(kms, 'Decrypt', { CiphertextBlob })).toBe('InvalidCiphertextException');
    expect(await fault(kms, 'Decrypt', { CiphertextBlob, KeyId })).toBe('IncorrectKeyException');
    expect(
      await fault(kms, 'ReEncrypt', { CiphertextBlob, SourceKeyId: KeyId, DestinationKeyId: KeyId }),
    ).toBe('IncorrectKeyException');
  });

  it.each(['', '=', 'AA', 'A===', 'AAAA\n', 'AA-_', 7, null, b64(6145)])(
    'in the form of %j are refused',
    async (CiphertextBlob) => {
      expect(await fault(await openKms(temporaryFolder()), 'Decrypt', { CiphertextBlob })).toBe(
        'ValidationException',
      );
    },
  );
});
