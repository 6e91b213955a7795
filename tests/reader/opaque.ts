import { createHmac } from 'node:crypto';
import { ristretto255_oprf } from '@noble/curves/ed25519.js';
import { argon2id } from 'hash-wasm';
import { concat, utf8, type Bytes } from './primitives.ts';

/** `opaque-v1.json`: what a passphrase and a server come to. */
export interface OpaqueVector {
  readonly passphrase: string;
  readonly credentialIdentifier: string;
  /** base64url, as all that follows but the export key. */
  readonly serverSetup: string;
  readonly registrationRecord: string;
  readonly exportKeyHex: string;
}

const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes =>
  Uint8Array.from(
    createHmac('sha512', key)
      .update(concat(...parts))
      .digest(),
  );
// RFC 5869, of one block at most.
const expand = (key: Uint8Array, info: Uint8Array, length: number): Bytes =>
  hmac(key, info, Uint8Array.of(1)).slice(0, length);

/** Section 9: the export key, by who has the server's secrets as well. */
export async function exportKeyOf(vector: OpaqueVector): Promise<Bytes> {
  const [setup, record] = [vector.serverSetup, vector.registrationRecord].map((text) =>
    Uint8Array.from(Buffer.from(text, 'base64url')),
  );
  // RFC 9807 §5.2: the OPRF's key for this credential.
  const info = concat(utf8(vector.credentialIdentifier), utf8('OprfKey'));
  const seed = expand((setup ?? new Uint8Array(0)).subarray(0, 64), info, 32);
  const { secretKey } = ristretto255_oprf.oprf.deriveKeyPair(seed, utf8('OPAQUE-DeriveKeyPair'));
  const password = utf8(vector.passphrase.normalize('NFKC'));
  const { blind, blinded } = ristretto255_oprf.oprf.blind(password);
  const evaluated = ristretto255_oprf.oprf.blindEvaluate(secretKey, blinded);
  const output = ristretto255_oprf.oprf.finalize(password, blind, evaluated);
  const stretched = await argon2id({
    password: output,
    salt: new Uint8Array(16),
    memorySize: 65_536,
    iterations: 3,
    parallelism: 4,
    hashLength: 64,
    outputType: 'binary',
  });
  const randomizedPassword = hmac(new Uint8Array(64), output, stretched);
  const nonce = (record ?? new Uint8Array(0)).subarray(96, 128);
  return expand(randomizedPassword, concat(nonce, utf8('ExportKey')), 64);
}
