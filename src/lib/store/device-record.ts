import * as v from 'valibot';
import { lengthPrefixed, type Bytes } from '../bytes.ts';
import { generateDeviceAgreementKeyPair, unwrapAgreementKey } from '../crypto/device-agreement.ts';
import { generateDeviceWrapKey } from '../crypto/device-wrap.ts';
import { randomId } from '../crypto/random.ts';
import { generateDeviceKeyPair, sign, verify } from '../crypto/signing.ts';
import { HalfkeyError } from '../errors.ts';
import { ONLY, writing, type Database, type DeviceRecord } from './database.ts';

const keyFor = (algorithm: string, usage: KeyUsage) =>
  v.pipe(
    v.instance(CryptoKey),
    v.check((key) => key.algorithm.name === algorithm && !key.extractable && key.usages.includes(usage)),
  );
const PublicKey = v.custom<Bytes>((value) => value instanceof Uint8Array && value.length === 32);
const Stored = v.object({
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/)),
  publicKey: PublicKey,
  privateKey: keyFor('Ed25519', 'sign'),
  agreementKey: PublicKey,
  agreementPrivateKey: v.union([
    keyFor('X25519', 'deriveBits'),
    v.object({ wrapped: v.instance(Uint8Array<ArrayBuffer>), wrappingKey: keyFor('AES-KW', 'unwrapKey') }),
  ]),
  wrapKey: keyFor('HMAC', 'sign'),
});

/** New keys for this device; kept only once they are saved. */
export async function createDevice(): Promise<DeviceRecord> {
  const [{ publicKey, privateKey }, agreement, wrapKey] = await Promise.all([
    generateDeviceKeyPair(),
    generateDeviceAgreementKeyPair(),
    generateDeviceWrapKey(),
  ]);
  return {
    id: randomId(),
    publicKey,
    privateKey,
    agreementKey: agreement.publicKey,
    agreementPrivateKey: agreement.privateKey,
    wrapKey,
  };
}

/**
 * @returns undefined on a device that has none
 * @throws {HalfkeyError} `device_state_lost` when it is not what was written, or its two halves are of different pairs:
 *   a journal signed by another key than the enrolled one would be no good to anybody
 */
export async function readDevice(database: Database): Promise<DeviceRecord | undefined> {
  const found: unknown = await database.get('device', ONLY);
  if (found === undefined) return undefined;
  const parsed = v.safeParse(Stored, found);
  if (parsed.success) {
    const { id, publicKey, privateKey, agreementPrivateKey } = parsed.output;
    const message = lengthPrefixed('halfkey/device-check/1', id);
    const isPair = await verify(publicKey, message, await sign(privateKey, message));
    if (isPair && (await opens(agreementPrivateKey))) return parsed.output;
  }
  throw new HalfkeyError('device_state_lost', "this device's keys are not as they were written");
}

function opens(key: DeviceRecord['agreementPrivateKey']): Promise<boolean> {
  if (key instanceof CryptoKey) return Promise.resolve(true);
  return unwrapAgreementKey(key).then(
    () => true,
    () => false,
  );
}

/** @throws {HalfkeyError} `device_full` */
export async function saveDevice(database: Database, device: DeviceRecord): Promise<void> {
  await writing(() => database.put('device', device, ONLY));
}
