import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import { Count } from '../../contract/ids.ts';
import { lengthPrefixed } from './length-prefixed.ts';
import { BrokerProblem } from '../problem.ts';

/** What a key holds: `content` by its schema; `counter` is 0 when created and one more at each write. */
export interface Stored<Content> {
  readonly content: Content;
  readonly counter: number;
}

/**
 * How the broker's own JSON records are stored: the MAC (43 characters of base64url), a line feed, and JSON of
 * `{counter, nonce, content}`. The MAC is HMAC-SHA-256 over key and JSON, so that a record neither changes nor moves to
 * another key unseen. The nonce makes each write's bytes its own, so that a store may settle a lost reply by reading
 * back.
 */
export interface RecordCodec {
  encode(key: string, counter: number, content: unknown): Uint8Array;
  /** @throws BrokerProblem `record_corrupt` when the MAC does not fit, or what it covers is not of the schema */
  decode<S extends v.GenericSchema>(key: string, schema: S, bytes: Uint8Array): Stored<v.InferOutput<S>>;
}

const MAC_CHARACTERS = 43;
const LINE_FEED = 0x0a;

const Body = v.strictObject({ counter: Count, nonce: v.string(), content: v.unknown() });

/** @param macKey 32 bytes, from `broker/setup` */
export function createRecordCodec(macKey: Uint8Array): RecordCodec {
  const mac = (key: string, json: Uint8Array): Buffer =>
    Buffer.from(
      createHmac('sha256', macKey)
        .update(lengthPrefixed('halfkey/record/1', key, json))
        .digest('base64url'),
    );

  return {
    encode(key, counter, content) {
      const nonce = randomBytes(16).toString('base64url');
      const json = Buffer.from(JSON.stringify({ counter, nonce, content }));
      return Buffer.concat([mac(key, json), Buffer.of(LINE_FEED), json]);
    },
    decode(key, schema, bytes) {
      const stored = Buffer.from(bytes);
      const json = stored.subarray(MAC_CHARACTERS + 1);
      const fits =
        stored[MAC_CHARACTERS] === LINE_FEED &&
        timingSafeEqual(stored.subarray(0, MAC_CHARACTERS), mac(key, json));
      if (!fits) throw new BrokerProblem('record_corrupt');
      try {
        const { counter, content } = v.parse(Body, JSON.parse(json.toString('utf8')));
        return { counter, content: v.parse(schema, content) };
      } catch (cause) {
        throw new BrokerProblem('record_corrupt', { cause });
      }
    },
  };
}

/** SHA-256 of stored bytes, base64url: what the chain of events links by. */
export function sha256B64url(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}
