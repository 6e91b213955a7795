import type { signupVerify } from '$contract/accounts.ts';
import type { EnvelopeRecord } from '$contract/envelope.ts';
import type * as v from 'valibot';
import type { OpenKeyring } from '../../account/keyring.ts';
import { fromB64Url, type Bytes } from '../../bytes.ts';
import { generateAgreementKeyPair } from '../../crypto/agreement.ts';
import { sealEnvelope } from '../../crypto/envelope.ts';
import { certifyDevice } from '../../journal/entries/certificate.ts';
import { createGenesis } from '../../journal/entries/genesis.ts';
import type { DeviceRecord } from '../../store/database.ts';
import { toRecord } from '../../vault/envelope-record.ts';
import { deviceName } from './device-name.ts';
import { wipeAtEnd } from '../../crypto/wipe.ts';

/** The KMS half that the broker made for the first inbox key. */
export type InboxHalf = v.InferOutput<(typeof signupVerify)['answer']>['inbox'];

/**
 * What a new vault begins with: its first inbox key, whose private half goes into an envelope as a content key does,
 * and the segment that names vault, identity, inbox, keyring and first device.
 */
export async function foundVault({
  keyring,
  device,
  inbox,
  nowMs,
}: {
  readonly keyring: OpenKeyring;
  readonly device: DeviceRecord;
  readonly inbox: InboxHalf;
  readonly nowMs: number;
}): Promise<{ genesis: Bytes; inboxEnvelope: EnvelopeRecord }> {
  const { account, identity } = keyring;
  const { vault, epoch, key: vaultKey } = keyring.vaultKey;
  const { publicKey, privateKey } = await generateAgreementKeyPair();
  const kmsHalf = fromB64Url(inbox.kmsHalf);
  using _halves = wipeAtEnd(privateKey, kmsHalf);
  const envelope = await sealEnvelope({
    purpose: 'inbox',
    vault,
    blob: inbox.blob,
    epoch,
    contentKey: privateKey,
    kmsHalf,
    kmsBlob: fromB64Url(inbox.kmsBlob),
    vaultKey,
  });
  const { id, publicKey: signingKey, agreementKey } = device;
  const keys = { publicKey: signingKey, agreementKey };
  const certificate = await certifyDevice(identity.privateKey, account, { device: id, ...keys });
  const genesis = await createGenesis({
    vault,
    account,
    vaultKey,
    identityKey: identity.privateKey,
    identityPublicKey: identity.publicKey,
    inbox: { blob: inbox.blob, publicKey, epoch: 0 },
    device: { id, ...keys, name: deviceName(navigator.userAgent), certificate },
    keyring: { version: keyring.version, hash: keyring.hash },
    nowMs,
  });
  return { genesis, inboxEnvelope: toRecord(envelope) };
}
