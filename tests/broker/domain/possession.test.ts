import { generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { createPossession } from '../../../broker/domain/auth/possession.ts';
import { withProof } from '../../../broker/domain/auth/used-proofs.ts';
import { TestSessionKey } from '../../support/session-key.ts';

const ORIGIN = 'https://drive.example';
const KEY = Buffer.alloc(32, 1);
const body = '{"a":1}';
const asked = { method: 'POST', url: `${ORIGIN}/api/x?q=%31`, body, sid: 'sid' };
const request = {
  method: 'POST',
  address: `${ORIGIN}/api/x`,
  query: 'q=%31',
  body: Buffer.from(body),
};
let nowMs = 0;
const possession = createPossession(KEY, () => nowMs);
const key = new TestSessionKey();

describe('a proof of possession', () => {
  it('is of its request, its session and its key', async () => {
    const jkt = await key.jkt();
    const proof = await key.prove(asked, { nonce: possession.nonceFor(jkt) });
    expect(await possession.open(proof, request)).toMatchObject({ jkt, sid: 'sid', isFresh: true });
  });

  it.each<[string, Partial<typeof request>]>([
    ['method', { method: 'GET' }],
    ['path', { address: `${ORIGIN}/api/y` }],
    ['origin', { address: 'https://evil.example/api/x' }],
    ['path, with a slash that is part of a name', { address: `${ORIGIN}/api%2Fx` }],
    ['address, which is none', { address: `${ORIGIN}/api/%` }],
    ['query', { query: 'q=%32' }],
    ['form of the query', { query: 'q=1' }],
    ['query, which is none', { query: '' }],
    ['body', { body: Buffer.from('{"a":2}') }],
    ['body, which is none', { body: Buffer.alloc(0) }],
    ['place between query and body', { query: 'q=%31{', body: Buffer.from(body.slice(1)) }],
  ])('is none for another %s', async (_what, change) => {
    expect(await possession.open(await key.prove(asked), { ...request, ...change })).toBeUndefined();
  });

  it('is of an address in any form that means the same', async () => {
    const proof = await key.prove({ ...asked, url: `${ORIGIN}/api/us%3Ax?q=%31` });
    const open = (address: string) => possession.open(proof, { ...request, address });
    expect(await open(`${ORIGIN}/api/us:x`)).toBeDefined();
    expect(await open(`${ORIGIN}/api/us%3ax`)).toBeDefined();
    expect(await open(`${ORIGIN}/api/us;x`)).toBeUndefined();
  });

  it('is fresh for two to four minutes, by the broker’s clock alone', async () => {
    nowMs = 120_000 * 1000;
    const proof = await key.prove(asked, { nonce: possession.nonceFor(await key.jkt()) });
    const isFreshAt = async (ms: number) => {
      nowMs = 120_000 * 1000 + ms;
      return (await possession.open(proof, request))?.isFresh;
    };
    expect(await isFreshAt(239_999)).toBe(true);
    expect(await isFreshAt(240_000)).toBe(false);
    expect(await isFreshAt(-1)).toBe(false);
  });

  it('has a nonce of its own key, of this bucket’s brokers', async () => {
    const other = new TestSessionKey();
    for (const nonce of [
      undefined,
      '',
      possession.nonceFor(await other.jkt()),
      createPossession(Buffer.alloc(32, 2), () => nowMs).nonceFor(await key.jkt()),
    ]) {
      const proof = await key.prove(asked, nonce === undefined ? {} : { nonce });
      expect((await possession.open(proof, request))?.isFresh).toBe(false);
    }
  });

  it('is none when it is damaged, too long, unsigned, or signed in another way', async () => {
    const proof = await key.prove(asked);
    const [head = '', claims = '', signature = ''] = proof.split('.');
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const payload = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
    const odd = [
      undefined,
      '',
      'x',
      `${head}.${claims}.`,
      `${head}.${claims}.${signature.slice(0, -4)}AAAA`,
      `${encode({ ...header, alg: 'none' })}.${claims}.${signature}`,
      `${encode({ ...header, typ: 'JWT' })}.${claims}.${signature}`,
      `${encode({ ...header, jwk: { kty: 'OKP', crv: 'Ed25519', x: 'AA' } })}.${claims}.${signature}`,
      `${encode({ ...header, jwk: undefined })}.${claims}.${signature}`,
      `${encode({ ...header, jwk: { kty: 'oct', k: 'AAAA' } })}.${claims}.${signature}`,
      await new SignJWT(payload)
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'RS256', jwk: rsa.publicKey.export({ format: 'jwk' }) })
        .sign(rsa.privateKey),
      await new SignJWT(payload).setProtectedHeader({ typ: 'dpop+jwt', alg: 'HS256' }).sign(KEY),
      await key.prove(asked, { claims: { pad: 'x'.repeat(2000) } }),
    ];
    for (const one of odd) expect([one, await possession.open(one, request)]).toEqual([one, undefined]);
  });

  it('is served once by what remembers it', () => {
    const first = withProof(undefined, { proofId: 'a' }, 2);
    expect(() => withProof(first, { proofId: 'a' }, 2)).toThrow(
      expect.objectContaining({ code: 'nonce_stale' }) as Error,
    );
    const third = withProof(withProof(first, { proofId: 'b' }, 2), { proofId: 'c' }, 2);
    expect(third).toHaveLength(2);
    expect(withProof(third, { proofId: 'a' }, 2)).toHaveLength(2);
  });
});
