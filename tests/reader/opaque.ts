import { createHash, createHmac, randomBytes } from 'node:crypto';
import { ristretto255, ristretto255_oprf } from '@noble/curves/ed25519.js';
import { argon2id } from 'hash-wasm';
import { concat, equal, utf8, type Bytes } from './primitives.ts';

/** `opaque-v1.json`: what a passphrase and a server come to. */
export interface OpaqueVector {
  readonly passphrase: string;
  readonly credentialIdentifier: string;
  /** base64url, as all that follows but the export key. */
  readonly serverSetup: string;
  readonly registrationRecord: string;
  readonly exportKeyHex: string;
}

const { oprf } = ristretto255_oprf;
const HASH_BYTES = 64;

const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes =>
  Uint8Array.from(
    createHmac('sha512', key)
      .update(concat(...parts))
      .digest(),
  );
const sha512 = (bytes: Uint8Array): Bytes => Uint8Array.from(createHash('sha512').update(bytes).digest());
const u16 = (value: number): Bytes => Uint8Array.of(value >> 8, value & 0xff);
/** RFC 5869. */
const extract = (...ikm: readonly Uint8Array[]): Bytes => hmac(new Uint8Array(HASH_BYTES), ...ikm);
function expand(key: Uint8Array, info: Uint8Array, length: number): Bytes {
  let block: Bytes = new Uint8Array(0);
  let all: Bytes = new Uint8Array(0);
  for (let count = 1; all.length < length; count += 1) {
    block = hmac(key, block, info, Uint8Array.of(count));
    all = concat(all, block);
  }
  return all.slice(0, length);
}
const fromB64Url = (text: string): Bytes => Uint8Array.from(Buffer.from(text, 'base64url'));
const toB64Url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const passwordOf = (passphrase: string): Bytes => utf8(passphrase.normalize('NFKC'));

/** Section 9: the randomized password of an OPRF's output. */
async function stretched(output: Uint8Array): Promise<Bytes> {
  const stretch = await argon2id({
    password: output,
    salt: new Uint8Array(16),
    memorySize: 65_536,
    iterations: 3,
    parallelism: 4,
    hashLength: HASH_BYTES,
    outputType: 'binary',
  });
  return extract(output, stretch);
}

const exportKeyFrom = (randomizedPassword: Uint8Array, nonce: Uint8Array): Bytes =>
  expand(randomizedPassword, concat(nonce, utf8('ExportKey')), HASH_BYTES);

/** Section 9: the export key, by a client that has the server's secrets as well. */
export async function exportKeyOf(vector: OpaqueVector): Promise<Bytes> {
  const setup = fromB64Url(vector.serverSetup);
  const record = fromB64Url(vector.registrationRecord);
  // RFC 9807 §5.2: the OPRF's key for this credential.
  const info = concat(utf8(vector.credentialIdentifier), utf8('OprfKey'));
  const seed = expand(setup.subarray(0, 64), info, 32);
  const { secretKey } = oprf.deriveKeyPair(seed, utf8('OPAQUE-DeriveKeyPair'));
  const password = passwordOf(vector.passphrase);
  const { blind, blinded } = oprf.blind(password);
  const output = oprf.finalize(password, blind, oprf.blindEvaluate(secretKey, blinded));
  return exportKeyFrom(await stretched(output), record.subarray(96, 128));
}

export interface OpaqueLogin {
  /** KE1, in base64url as all messages. */
  readonly startLoginRequest: string;
  /**
   * @returns KE3, and what it leaves behind; undefined when the passphrase is not the account's, or the server not the
   * one
   */
  finish(
    loginResponse: string,
  ): Promise<
    | { readonly finishLoginRequest: string; readonly exportKey: Bytes; readonly serverPublicKey: string }
    | undefined
  >;
}

/** Section 9: a login (RFC 9807 §6), by a client that has the passphrase alone. */
export function startOpaqueLogin(passphrase: string): OpaqueLogin {
  const password = passwordOf(passphrase);
  const { blind, blinded } = oprf.blind(password);
  const seed = Uint8Array.from(randomBytes(32));
  const keyShare = oprf.deriveKeyPair(seed, utf8('OPAQUE-DeriveDiffieHellmanKeyPair'));
  const ke1 = concat(blinded, Uint8Array.from(randomBytes(32)), keyShare.publicKey);
  return {
    startLoginRequest: toB64Url(ke1),
    async finish(loginResponse) {
      const ke2 = fromB64Url(loginResponse);
      const [evaluated, maskingNonce, masked] = [ke2.slice(0, 32), ke2.slice(32, 64), ke2.slice(64, 192)];
      const [serverKeyShare, serverMac] = [ke2.slice(224, 256), ke2.slice(256, 320)];
      const randomizedPassword = await stretched(oprf.finalize(password, blind, evaluated));
      const keyOf = (label: Uint8Array, length: number) => expand(randomizedPassword, label, length);

      const pad = expand(
        keyOf(utf8('MaskingKey'), HASH_BYTES),
        concat(maskingNonce, utf8('CredentialResponsePad')),
        masked.length,
      );
      const unmasked = masked.map((byte, index) => byte ^ (pad[index] ?? 0));
      const [serverPublicKey, nonce, tag] = [
        unmasked.slice(0, 32),
        unmasked.slice(32, 64),
        unmasked.slice(64),
      ];
      const client = oprf.deriveKeyPair(
        keyOf(concat(nonce, utf8('PrivateKey')), 32),
        utf8('OPAQUE-DeriveDiffieHellmanKeyPair'),
      );
      const named = (publicKey: Uint8Array) => concat(u16(publicKey.length), publicKey);
      const cleartext = concat(serverPublicKey, named(serverPublicKey), named(client.publicKey));
      const authKey = keyOf(concat(nonce, utf8('AuthKey')), HASH_BYTES);
      if (!equal(hmac(authKey, nonce, cleartext), tag)) return undefined;

      const preamble = concat(
        utf8('OPAQUEv1-'),
        u16(0), // The context: none.
        named(client.publicKey),
        ke1,
        named(serverPublicKey),
        ke2.slice(0, 256),
      );
      const prk = extract(
        times(keyShare.secretKey, serverKeyShare),
        times(keyShare.secretKey, serverPublicKey),
        times(client.secretKey, serverKeyShare),
      );
      const handshake = expandLabel(prk, 'HandshakeSecret', sha512(preamble));
      const serverKey = expandLabel(handshake, 'ServerMAC', new Uint8Array(0));
      if (!equal(hmac(serverKey, sha512(preamble)), serverMac)) return undefined;
      const clientKey = expandLabel(handshake, 'ClientMAC', new Uint8Array(0));
      return {
        finishLoginRequest: toB64Url(hmac(clientKey, sha512(concat(preamble, serverMac)))),
        exportKey: exportKeyFrom(randomizedPassword, nonce),
        serverPublicKey: toB64Url(serverPublicKey),
      };
    },
  };
}

/** RFC 9807 §6.4.2. */
function expandLabel(secret: Uint8Array, label: string, context: Uint8Array): Bytes {
  const custom = utf8(`OPAQUE-${label}`);
  const info = concat(
    u16(HASH_BYTES),
    Uint8Array.of(custom.length),
    custom,
    Uint8Array.of(context.length),
    context,
  );
  return expand(secret, info, HASH_BYTES);
}

function times(secretKey: Uint8Array, point: Uint8Array): Bytes {
  const scalar = BigInt(`0x${Buffer.from(secretKey).reverse().toString('hex')}`);
  return Uint8Array.from(ristretto255.Point.fromBytes(point).multiply(scalar).toBytes());
}
