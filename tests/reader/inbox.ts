import { firstOf, wholeOf } from './cbor.ts';
import { openHpke } from './hpke.ts';
import { readDraftFields, readOperation, type DraftFields, type Version } from './operations.ts';
import { aad, equal, isSignedBy, prefixed, sha256, utf8, type Bytes } from './primitives.ts';
import { demand, Refused } from './refused.ts';
import type { State } from './state.ts';

const REFUSED = 'inbox_refused';
const LOST = 'device_state_lost';

/** Section 13.1: what a capture will be in the drive. */
export interface Captured {
  readonly file: string;
  readonly folder: string;
  readonly name: string;
  readonly contentKey: Bytes;
  readonly version: Version;
}

const epochAt = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(4);

// Sections 13.1 and 13.2: 1024 bytes of length, content and zeros.
function contentOf(plaintext: Uint8Array, code: string): Uint8Array {
  demand(plaintext.length === 1024, code, 'no 1024 bytes');
  const end = 4 + new DataView(plaintext.buffer, plaintext.byteOffset).getUint32(0);
  demand(end <= 1024, code, 'a length beyond the end');
  demand(
    plaintext.subarray(end).every((byte) => byte === 0),
    code,
    'padding that is not zero',
  );
  return plaintext.subarray(4, end);
}

function opened(code: string, open: () => Bytes): Bytes {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new Refused(code, error.message);
  }
}

/** Section 13.1; `privateKeyOf` yields the private half of an inbox epoch. */
export function openRecord(
  state: State,
  vault: string,
  blob: string,
  record: Uint8Array,
  privateKeyOf: (inboxEpoch: number) => Uint8Array,
): Captured {
  demand(record.length === 1160 && equal(record.subarray(0, 4), utf8('HKI1')), REFUSED, 'no record');
  const [head, signature, sealed] = [record.slice(0, 24), record.slice(24, 88), record.slice(88)];
  const device = state.devices.get(Buffer.from(head.subarray(8)).toString('base64url'));
  demand(device !== undefined && device.revoked === undefined, REFUSED, 'no device');
  const message = prefixed('halfkey/inbox/1', vault, blob, head, sha256(sealed));
  demand(isSignedBy(device.enrolment.publicKey, signature, message), REFUSED, 'signature');
  const epoch = epochAt(head);
  const isLive =
    state.inboxKeys.some(({ inbox }) => inbox.epoch === epoch) && epoch >= state.oldestInboxEpoch;
  demand(isLive, REFUSED, 'no such inbox key');
  const info = aad('inbox', vault, blob, epoch);
  const content = contentOf(
    opened(REFUSED, () => openHpke(privateKeyOf(epoch), info, head, sealed)),
    REFUSED,
  );
  demand(content.length > 32, REFUSED, 'no content');
  const first = firstOf(content.subarray(32));
  const operation = readOperation(first?.[0]);
  demand(operation?.kind === 'file-add' && first?.[1].length === 0, REFUSED, 'not one file');
  const { file, folder, name, version } = operation;
  demand(version.blob === blob, REFUSED, 'another blob');
  return { file, folder, name, contentKey: Uint8Array.from(content.subarray(0, 32)), version };
}

/** Section 13.2. */
export function openDraft(
  vault: string,
  blob: string,
  draft: Uint8Array,
  privateKeyOf: (inboxEpoch: number) => Uint8Array,
): DraftFields {
  demand(draft.length === 1080 && equal(draft.subarray(0, 4), utf8('HKD1')), LOST, 'no draft');
  const epoch = epochAt(draft);
  const info = aad('draft', vault, blob, epoch);
  const plaintext = opened(LOST, () =>
    openHpke(privateKeyOf(epoch), info, draft.subarray(0, 8), draft.subarray(8)),
  );
  const fields = readDraftFields(wholeOf(contentOf(plaintext, LOST)));
  demand(fields?.blob === blob, LOST, 'malformed, or of another blob');
  return fields;
}
