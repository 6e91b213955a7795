import { openFloe } from './floe.ts';
import { aad, concat, derive, fromB64url, prefixed, sha256, u32be, type Bytes } from './primitives.ts';
import { demand, Refused } from './refused.ts';

const MEMBERS = ['epoch', 'kmsBlob', 'purpose', 'salt', 'sealedKey', 'suite'];

/** What an envelope is opened with: both halves, and the name that it was found under. */
export interface Halves {
  readonly kmsHalf: Uint8Array;
  readonly vaultKey: Uint8Array;
  readonly purpose: 'file' | 'inbox';
  readonly vault: string;
  readonly blob: string;
  readonly epoch: number;
}

/** Section 8: the content key, or the private half of an inbox key pair; 32 bytes. */
export function openEnvelope(json: string, halves: Halves): Bytes {
  const { salt, kmsBlob, sealedKey } = parse(json, halves);
  demand(halves.kmsHalf.length === 32 && halves.vaultKey.length === 32, 'kms_half_wrong', 'not 32 bytes');
  const { vault, blob, epoch } = halves;
  const ikm = concat(halves.kmsHalf, halves.vaultKey);
  const kek = derive(ikm, salt, halves.purpose, vault, blob, u32be(epoch));
  const context = concat(aad('content-key', vault, blob, epoch), prefixed(sha256(kmsBlob)));
  try {
    return openFloe(kek, context, sealedKey);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new Refused(error.code === 'key_mismatch' ? 'kms_half_wrong' : 'envelope_corrupt', error.message);
  }
}

function parse(
  json: string,
  { purpose, epoch }: Pick<Halves, 'purpose' | 'epoch'>,
): Record<'salt' | 'kmsBlob' | 'sealedKey', Bytes> {
  const code = 'envelope_corrupt';
  let envelope: unknown;
  try {
    envelope = JSON.parse(json);
  } catch {
    throw new Refused(code, 'no JSON');
  }
  demand(typeof envelope === 'object' && envelope !== null, code, 'no JSON object');
  const members = new Map<string, unknown>(Object.entries(envelope));
  const suite = members.get('suite');
  demand(typeof suite === 'string', code, 'no suite');
  demand(suite === 'halfkey/1', 'format_unknown', 'another suite');
  demand([...members.keys()].sort().join() === MEMBERS.join(), code, 'other members');
  demand(members.get('purpose') === purpose, code, 'another purpose');
  demand(members.get('epoch') === epoch, code, 'another epoch than the name says');
  const bytes = (name: string): Bytes => {
    const text = members.get(name);
    demand(typeof text === 'string', code, `${name} is no text`);
    return fromB64url(text, code);
  };
  const [salt, kmsBlob, sealedKey] = [bytes('salt'), bytes('kmsBlob'), bytes('sealedKey')];
  demand(salt.length === 32 && sealedKey.length === 138 && kmsBlob.length <= 1024, code, 'a wrong length');
  return { salt, kmsBlob, sealedKey };
}
