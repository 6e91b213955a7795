import { createHmac, randomBytes } from 'node:crypto';
import * as opaque from '@serenity-kit/opaque';
import * as v from 'valibot';
import { b64url } from '../../contract/ids.ts';
import type { BrokerKms, EncryptionContext } from '../../ports/kms.ts';
import type { StateStore, StateVersions } from '../../ports/state.ts';
import { lengthPrefixed } from './length-prefixed.ts';
import { BrokerProblem } from '../problem.ts';
import { createRecordCodec, type RecordCodec } from './record-codec.ts';
import { StartRefused } from '../start-refused.ts';
import { stateKeys } from './state-keys.ts';

/** The broker's long-lived secrets, the same in each broker of a bucket. Keys are 32 bytes. */
export interface Setup {
  /** OPAQUE's server setup as the library writes it: seed and key pair. */
  readonly opaqueServerSetup: string;
  /** HMAC of user names and recovery keys. */
  readonly nameKey: Uint8Array;
  /** HS256, sessions and device cookies. */
  readonly sessionKey: Uint8Array;
  /** A256GCM, what is kept between two messages of a login. */
  readonly stateKey: Uint8Array;
  /** HMAC over the broker's records. */
  readonly macKey: Uint8Array;
  /** HMAC, the nonces of proofs of possession. */
  readonly nonceKey: Uint8Array;
  /** HMAC over what halves are made for; see envelope-proofs.ts. */
  readonly envelopeKey: Uint8Array;
}

const CONTEXT: EncryptionContext = { app: 'halfkey', purpose: 'setup' };

const key = b64url({ exactly: 32 });
const SetupJson = v.strictObject({
  version: v.literal(1),
  opaqueServerSetup: v.pipe(v.string(), v.minLength(1)),
  nameKey: key,
  sessionKey: key,
  stateKey: key,
  macKey: key,
  nonceKey: key,
  envelopeKey: key,
});
/** Under the MAC key of the setup, so that another setup cannot vouch for itself. */
const Canary = v.strictObject({ opaquePublicKey: v.string(), nameCheck: key });

interface Loaded {
  readonly setup: Setup;
  readonly codec: RecordCodec;
}
interface Found extends Loaded {
  readonly hasCanary: boolean;
}

/**
 * Reads `broker/setup`, or makes it when the bucket is new: create-only, so that of several first brokers one wins.
 * @param versions as `findSetup`
 * @throws StartRefused `setup_mismatch` when setup and canary do not belong together, or KMS cannot open it;
 *   `setup_lost` when there is a canary, or an account, but no setup: a new one would lock every account out
 */
export async function loadSetup(
  store: StateStore,
  kms: BrokerKms,
  versions?: Pick<StateVersions, 'list'>,
): Promise<Loaded> {
  return completeSetup(store, kms, await findSetup(store, kms, versions));
}

/**
 * What `findSetup` has found, with what is missing of it made now.
 * @throws StartRefused as `loadSetup`
 */
export async function completeSetup(
  store: StateStore,
  kms: BrokerKms,
  already: Found | undefined,
): Promise<Loaded> {
  const found = already ?? (await makeSetup(store, kms));
  const { setup, codec } = found;
  if (!found.hasCanary) {
    await store.create(stateKeys.canary, codec.encode(stateKeys.canary, 0, canaryOf(setup)));
    await checkCanary(store, codec, setup);
  }
  return { setup, codec };
}

/**
 * The setup that the bucket has, if it is ours to go on with. Writes nothing.
 * @param versions asked, where there is none, whether there are accounts already
 * @returns undefined in a new bucket
 * @throws StartRefused as `loadSetup`
 */
export async function findSetup(
  store: StateStore,
  kms: BrokerKms,
  versions: Pick<StateVersions, 'list'> | undefined,
): Promise<Found | undefined> {
  await opaque.ready;
  const canary = await store.read(stateKeys.canary);
  const stored = await store.read(stateKeys.setup);
  if (!stored) {
    const beside = canary ? stateKeys.canary : await firstAccount(versions);
    if (beside === undefined) return undefined;
    throw new StartRefused('setup_lost', `expected ${stateKeys.setup} beside ${beside}, found none`);
  }
  const setup = await openSetup(stored.bytes, kms);
  const codec = createRecordCodec(setup.macKey);
  if (canary) await checkCanary(store, codec, setup);
  return { setup, codec, hasCanary: canary !== undefined };
}

async function makeSetup(store: StateStore, kms: BrokerKms): Promise<Found> {
  const stored = await createSetup(store, kms);
  if (!stored) throw new BrokerProblem('store_unreachable');
  const setup = await openSetup(stored.bytes, kms);
  return { setup, codec: createRecordCodec(setup.macKey), hasCanary: false };
}

async function firstAccount(versions: Pick<StateVersions, 'list'> | undefined): Promise<string | undefined> {
  const page = await versions?.list('a/', undefined);
  return page?.versions.find(({ isLatest }) => isLatest)?.key;
}

async function createSetup(store: StateStore, kms: BrokerKms) {
  const draw = () => randomBytes(32).toString('base64url');
  const json: v.InferInput<typeof SetupJson> = {
    version: 1,
    opaqueServerSetup: opaque.server.createSetup(),
    nameKey: draw(),
    sessionKey: draw(),
    stateKey: draw(),
    macKey: draw(),
    nonceKey: draw(),
    envelopeKey: draw(),
  };
  await store.create(stateKeys.setup, await kms.encrypt(Buffer.from(JSON.stringify(json)), CONTEXT));
  return store.read(stateKeys.setup);
}

async function openSetup(sealed: Uint8Array, kms: BrokerKms): Promise<Setup> {
  try {
    const plaintext = await kms.decrypt(sealed, CONTEXT);
    const parsed = v.safeParse(SetupJson, JSON.parse(Buffer.from(plaintext).toString('utf8')));
    if (!parsed.success) {
      throw new StartRefused(
        'setup_mismatch',
        `${stateKeys.setup} is of another version of Halfkey: begin with an empty data folder or bucket`,
      );
    }
    const json = parsed.output;
    return {
      opaqueServerSetup: json.opaqueServerSetup,
      nameKey: Buffer.from(json.nameKey, 'base64url'),
      sessionKey: Buffer.from(json.sessionKey, 'base64url'),
      stateKey: Buffer.from(json.stateKey, 'base64url'),
      macKey: Buffer.from(json.macKey, 'base64url'),
      nonceKey: Buffer.from(json.nonceKey, 'base64url'),
      envelopeKey: Buffer.from(json.envelopeKey, 'base64url'),
    };
  } catch (cause) {
    if (cause instanceof StartRefused) throw cause;
    // KMS away is another matter: it may come back, and nothing is wrong with the setup.
    if (cause instanceof BrokerProblem && cause.code !== 'record_corrupt') throw cause;
    throw new StartRefused('setup_mismatch', `${stateKeys.setup} does not open with this KMS key`);
  }
}

function canaryOf(setup: Setup): v.InferOutput<typeof Canary> {
  return {
    opaquePublicKey: opaque.server.getPublicKey(setup.opaqueServerSetup),
    nameCheck: createHmac('sha256', setup.nameKey)
      .update(lengthPrefixed('halfkey/canary/1'))
      .digest('base64url'),
  };
}

async function checkCanary(store: StateStore, codec: RecordCodec, setup: Setup): Promise<void> {
  const stored = await store.read(stateKeys.canary);
  const expected = canaryOf(setup);
  let found: v.InferOutput<typeof Canary> | undefined;
  try {
    found = stored && codec.decode(stateKeys.canary, Canary, stored.bytes).content;
  } catch (cause) {
    if (!(cause instanceof BrokerProblem) || cause.code !== 'record_corrupt') throw cause;
  }
  const same = found?.opaquePublicKey === expected.opaquePublicKey && found.nameCheck === expected.nameCheck;
  if (!same) {
    throw new StartRefused('setup_mismatch', `${stateKeys.setup} is not the one this bucket was made with`);
  }
}
