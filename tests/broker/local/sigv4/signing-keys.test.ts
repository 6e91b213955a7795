import { expect, it } from 'vitest';
import type { Credential } from '../../../../broker/local/principal.ts';
import { signingKey } from '../../../../broker/local/sigv4/canonical.ts';
import { SigningKeys } from '../../../../broker/local/sigv4/signing-keys.ts';

const credential = (secretAccessKey: string): Credential => ({
  accessKeyId: 'AKIA',
  secretAccessKey,
  principal: { kind: 'broker' },
});
const scope = (day: number, service = 's3') => ({
  date: String(20_260_000 + day),
  region: 'us-east-1',
  service,
});

it('keeps keys apart by credential, day and service, and derives what it does not have', () => {
  const keys = new SigningKeys();
  const [one, other] = [credential('one'), credential('other')];
  const scopes = Array.from({ length: 20 }, (_none, day) => [scope(day), scope(day, 'kms')]).flat();
  for (const pass of [1, 2]) {
    for (const at of scopes) {
      for (const who of [one, other]) {
        const derived = signingKey(who.secretAccessKey, at);
        expect([pass, keys.of(who, at)]).toEqual([pass, derived]);
        keys.keep(who, at, derived);
      }
    }
  }
});

it('yields the very key that was kept', () => {
  const keys = new SigningKeys();
  const who = credential('one');
  const kept = signingKey('one', scope(1));
  expect(keys.of(who, scope(1))).not.toBe(kept);
  keys.keep(who, scope(1), kept);
  expect(keys.of(who, scope(1))).toBe(kept);
});
