import { createHash } from 'node:crypto';
import { ed25519PublicKey, signWith } from '../reader/ed25519.ts';
import { concat, utf8, type Bytes } from '../reader/primitives.ts';
import type { SignatureVector } from './kit.ts';
import { bytesOf, flipped, hex } from './writing/bytes.ts';
import {
  add,
  BASE,
  IDENTITY,
  L,
  ORDER_8,
  otherBytes,
  pointBytes,
  scalarBytes,
  scalarOf,
  times,
  type Point,
} from './writing/edwards.ts';

const SEED = bytesOf('signature seed', 32);
const PUBLIC_KEY = ed25519PublicKey(SEED);
const MESSAGE = utf8('a message');
const SIGNATURE = signWith(SEED, MESSAGE);

/** RFC 8032 §5.1.5: the secret scalar of a seed. */
const SECRET = ((): bigint => {
  const digest = Uint8Array.from(createHash('sha512').update(SEED).digest().subarray(0, 32));
  digest[0] = (digest[0] ?? 0) & 0xf8;
  digest[31] = ((digest[31] ?? 0) & 0x7f) | 0x40;
  return scalarOf(digest) % L;
})();
const NONCE = scalarOf(bytesOf('signature nonce', 32)) % L;

const challenge = (r: Bytes, a: Bytes, message: Uint8Array): bigint =>
  scalarOf(
    createHash('sha512')
      .update(concat(r, a, message))
      .digest(),
  ) % L;

interface Parts {
  /** The public key as it is given. */
  readonly a: Bytes;
  /** The signature's first half as it is given. */
  readonly r: Bytes;
  readonly message?: Uint8Array;
}

/** The second half that fits S·B = R + h·A for the part of R and A that has a secret. */
const answer = ({ a, r, message = MESSAGE }: Parts, nonce: bigint, secret: bigint): Bytes =>
  scalarBytes((nonce + challenge(r, a, message) * secret) % L);

/** Messages, tried until the challenge has this remainder by 8. */
function messageWith(a: Bytes, r: Bytes, wanted: (remainder: bigint) => boolean): Bytes {
  for (let number = 0; ; number += 1) {
    const message = utf8(`message ${String(number)}`);
    if (wanted(challenge(r, a, message) % 8n)) return message;
  }
}

function signature(
  name: string,
  says: string,
  { a, r, message = MESSAGE }: Parts,
  s: Bytes,
  isSigned: boolean,
): SignatureVector {
  return {
    name,
    rule: '2',
    says,
    publicKeyHex: hex(a),
    messageHex: hex(message),
    signatureHex: hex(concat(r, s)),
    expect: { isSigned },
  };
}

const [R, S] = [SIGNATURE.slice(0, 32), SIGNATURE.slice(32)];
const right: Parts = { a: PUBLIC_KEY, r: R };
const torsion = (order: number): Point => times(BigInt(order), ORDER_8);
const noncePoint = times(NONCE, BASE);
const secretPoint = times(SECRET, BASE);

/** Small order in either half: the equation holds, and says nothing. */
const smallKeys = (): SignatureVector[] =>
  Array.from({ length: 8 }, (_, index) => {
    const a = pointBytes(torsion(index));
    const r = pointBytes(noncePoint);
    const message = messageWith(a, r, (remainder) => remainder === 0n);
    const says = `a key of small order: ${String(index)} times a point of order 8; anybody signs anything with it`;
    return signature(`small-key-${String(index)}`, says, { a, r, message }, scalarBytes(NONCE), false);
  });

const smallFirstHalves = (): SignatureVector[] =>
  [0, 1, 4].map((multiple) => {
    const r = pointBytes(torsion(multiple));
    const parts = { a: PUBLIC_KEY, r };
    const says = `a first half of small order: ${String(multiple)} times a point of order 8`;
    return signature(`small-first-half-${String(multiple)}`, says, parts, answer(parts, 0n, SECRET), false);
  });

const mixed = (): SignatureVector[] => {
  const a = pointBytes(add(secretPoint, ORDER_8));
  const r = pointBytes(noncePoint);
  const agreeing = { a, r, message: messageWith(a, r, (remainder) => remainder === 0n) };
  const differing = { a, r, message: messageWith(a, r, (remainder) => remainder !== 0n) };
  const mixedR = { a: PUBLIC_KEY, r: pointBytes(add(noncePoint, ORDER_8)) };
  return [
    signature(
      'mixed-key-agreeing',
      'a key with a part of small order, and a challenge that is a multiple of 8: the equation holds as it is',
      agreeing,
      answer(agreeing, NONCE, SECRET),
      true,
    ),
    signature(
      'mixed-key',
      'a key with a part of small order, and another challenge: the equation holds only when it is multiplied by 8',
      differing,
      answer(differing, NONCE, SECRET),
      false,
    ),
    signature(
      'mixed-first-half',
      'a first half with a part of small order: the equation holds only when it is multiplied by 8',
      mixedR,
      answer(mixedR, NONCE, SECRET),
      false,
    ),
  ];
};

const notCanonical = (): SignatureVector[] => {
  const keys: [string, Bytes][] = [
    ['identity-y', otherBytes.yPlusP(IDENTITY)],
    ['identity-sign', otherBytes.sign(IDENTITY)],
    ['order-2-sign', otherBytes.sign(torsion(4))],
    ['order-4-y', otherBytes.yPlusP(torsion(2))],
    ['order-4-y-sign', otherBytes.yPlusP(torsion(6))],
  ];
  const firstHalves: [string, Bytes][] = [
    ['identity-y', otherBytes.yPlusP(IDENTITY)],
    ['identity-sign', otherBytes.sign(IDENTITY)],
  ];
  return [
    ...keys.map(([name, a]) => {
      const r = pointBytes(noncePoint);
      const message = messageWith(a, r, (remainder) => remainder === 0n);
      return signature(
        `other-key-${name}`,
        'a key of small order in another encoding',
        { a, r, message },
        scalarBytes(NONCE),
        false,
      );
    }),
    ...firstHalves.map(([name, r]) => {
      const parts = { a: PUBLIC_KEY, r };
      return signature(
        `other-first-half-${name}`,
        'a first half of small order in another encoding',
        parts,
        answer(parts, 0n, SECRET),
        false,
      );
    }),
  ];
};

export const signatureVectors = (): SignatureVector[] => [
  signature('right', 'a signature', right, S, true),
  signature(
    'empty-message',
    'a signature of no byte',
    { a: PUBLIC_KEY, r: signWith(SEED, new Uint8Array(0)).slice(0, 32), message: new Uint8Array(0) },
    signWith(SEED, new Uint8Array(0)).slice(32),
    true,
  ),
  signature('message', 'of another message', { ...right, message: utf8('another message') }, S, false),
  signature('first-half', 'a changed bit in the first half', { ...right, r: flipped(R, 0) }, S, false),
  signature('second-half', 'a changed bit in the second half', right, flipped(S, 0), false),
  signature(
    'key',
    'of another key',
    { ...right, a: ed25519PublicKey(bytesOf('another seed', 32)) },
    S,
    false,
  ),
  signature(
    'second-half-plus-order',
    'the order of the base point added to the second half',
    right,
    scalarBytes(scalarOf(S) + L),
    false,
  ),
  signature(
    'second-half-order',
    'a second half of that order itself, where 0 would be right',
    { a: PUBLIC_KEY, r: pointBytes(times(L - ((challenge(R, PUBLIC_KEY, MESSAGE) * SECRET) % L), BASE)) },
    scalarBytes(L),
    false,
  ),
  signature('zeros', 'zeros', { ...right, r: new Uint8Array(32) }, new Uint8Array(32), false),
  signature(
    'not-on-curve',
    'a key that is no point',
    { ...right, a: Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? 2 : 0)) },
    S,
    false,
  ),
  signature('short', 'a signature of 63 bytes', right, S.slice(0, 31), false),
  signature('long', 'a signature of 65 bytes', right, concat(S, Uint8Array.of(0)), false),
  signature('key-short', 'a key of 31 bytes', { ...right, a: PUBLIC_KEY.slice(0, 31) }, S, false),
  ...smallKeys(),
  ...smallFirstHalves(),
  ...mixed(),
  ...notCanonical(),
];
