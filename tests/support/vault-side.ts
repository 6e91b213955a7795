import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import * as v from 'valibot';
import { AccountId, BlobId, DeviceId, GrantId, type VaultId } from '$contract/ids.ts';
import type { EnvelopeRecord, KeyPurpose } from '$contract/envelope.ts';
import type { Head } from '$contract/accounts.ts';
import { SEGMENT_HEAD } from '$contract/segment.ts';
import { createEventLog } from '../../broker/domain/state/event-log.ts';
import { createGrants } from '../../broker/domain/auth/grants.ts';
import { lengthPrefixed } from '../../broker/domain/state/length-prefixed.ts';
import { createRecordCodec } from '../../broker/domain/state/record-codec.ts';
import { createRecords } from '../../broker/domain/state/records.ts';
import type { Session } from '../../broker/domain/account/session.ts';
import { createVaultSide, type VaultSideDeps } from '../../broker/domain/vault/vaults.ts';
import { newSigningDevice, type SigningDevice } from './inbox-records.ts';
import type { VaultKms } from '../../broker/ports/kms.ts';
import type { StateStore } from '../../broker/ports/state.ts';
import type { Purger, VaultObjects } from '../../broker/ports/vaults.ts';

const random22 = (): string => randomBytes(16).toString('base64url');
export const newBlobId = (): BlobId => v.parse(BlobId, random22());
export const newAccountId = (): AccountId => v.parse(AccountId, random22());
export const newGrantId = (): GrantId => v.parse(GrantId, random22());

/** Of all sessions that a test has made: each is of a device of its own, which its account has. */
const devices = new Map<AccountId, SigningDevice[]>();

/** Somebody who is signed in. */
export function newSession(account = newAccountId()): Session & { readonly device: DeviceId } {
  const device = newSigningDevice();
  devices.set(account, [...(devices.get(account) ?? []), device]);
  return {
    account,
    device: v.parse(DeviceId, device.id),
    deviceKey: device.publicKey,
    sessionId: random22(),
    stage: 'full',
    jkt: '',
  };
}

/** What the session's device signs with. */
export function deviceOf({ account, device }: Session): SigningDevice {
  const found = devices.get(account)?.find(({ id }) => id === device);
  if (!found) throw new Error('expected a session of newSession');
  return found;
}

/** The same in all brokers of a test, as `broker/setup` would be. */
const MAC_KEY = Buffer.alloc(32, 7);

export interface TestPorts {
  readonly state: StateStore;
  readonly objects: VaultObjects;
  readonly kms: VaultKms;
  readonly purger: Purger;
}

/** One broker's vault side with the real grants, records and event log; a code is always right. */
export function startVaultSide(
  ports: TestPorts,
  more: Partial<VaultSideDeps> & { grantReleases?: number } = {},
) {
  const clock = more.clock ?? Date.now;
  const codec = createRecordCodec(MAC_KEY);
  const records = createRecords(ports.state, codec);
  const grants = createGrants(records, clock, {
    grantSeconds: 300,
    grantReleases: more.grantReleases ?? 1000,
  });
  const events = createEventLog(ports.state, codec, clock);
  const side = createVaultSide({
    accounts: { recall: (account) => Promise.resolve({ devices: devices.get(account) ?? [] } as never) },
    records,
    grants,
    events,
    secondFactor: { accept: () => Promise.reject(new Error('this test types no code')) },
    objects: ports.objects,
    kms: ports.kms,
    purger: ports.purger,
    clock,
    envelopeKey: MAC_KEY,
    settings: {},
    ...more,
  });
  return { ...side, side, records, grants, events };
}
export type TestVaultSide = ReturnType<typeof startVaultSide>;

/** A segment as far as the broker looks at it. */
export function segmentAfter(head: Head | undefined, content: Uint8Array = randomBytes(40)): Uint8Array {
  const bytes = Buffer.alloc(SEGMENT_HEAD.ciphertextOffset + content.length);
  bytes.write(SEGMENT_HEAD.magic, 0, 'latin1');
  bytes.writeBigUInt64BE(BigInt(head ? head.seq + 1 : 0), SEGMENT_HEAD.seqOffset);
  if (head) {
    Buffer.from(head.hash, 'base64url').copy(bytes, SEGMENT_HEAD.prevHashOffset);
    bytes.fill(9, SEGMENT_HEAD.writerOffset, SEGMENT_HEAD.signatureOffset);
  }
  bytes.set(content, SEGMENT_HEAD.ciphertextOffset);
  return bytes;
}

/** The same with a signature that holds (docs/FORMAT.md §11.1). */
export function signedSegment(vault: VaultId, segment: Uint8Array, privateKey: KeyObject): Uint8Array {
  const bytes = Buffer.from(segment);
  const { epochOffset, seqOffset, prevHashOffset, writerOffset, signatureOffset, ciphertextOffset } =
    SEGMENT_HEAD;
  const message = lengthPrefixed(
    'halfkey/journal/1',
    vault,
    bytes.subarray(seqOffset, prevHashOffset),
    bytes.subarray(prevHashOffset, writerOffset),
    bytes.subarray(epochOffset, seqOffset),
    bytes.subarray(writerOffset, signatureOffset),
    createHash('sha256').update(bytes.subarray(ciphertextOffset)).digest(),
  );
  bytes.set(sign(null, message, privateKey), signatureOffset);
  return bytes;
}

/** An envelope around a KMS blob; what else it holds is not the broker's business. */
export function envelopeOf(kmsBlob: Uint8Array, epoch = 0, purpose: KeyPurpose = 'file'): EnvelopeRecord {
  return {
    suite: 'halfkey/1',
    purpose,
    epoch,
    salt: randomBytes(32).toString('base64url'),
    kmsBlob: Buffer.from(kmsBlob).toString('base64url'),
    sealedKey: randomBytes(48).toString('base64url'),
  };
}

/** Makes a vault for the session's account. */
export async function openVault(
  { createVault }: Pick<TestVaultSide, 'createVault'>,
  session: Session,
  vault: VaultId,
): Promise<Head> {
  return createVault({
    account: session.account,
    vault,
    genesis: segmentAfter(undefined),
    inboxBlob: newBlobId(),
    inboxEnvelope: envelopeOf(randomBytes(64), 0, 'inbox'),
  });
}
