import { beforeEach, describe, expect, it } from 'vitest';
import type { BlobId } from '$contract/ids.ts';
import { envelopesWrite, keysGenerate, keysRelease } from '$contract/vault-keys.ts';
import { fromB64Url, type Bytes } from '../../src/lib/bytes.ts';
import { sealEnvelope } from '../../src/lib/crypto/envelope.ts';
import { randomBytes } from '../../src/lib/crypto/random.ts';
import { toRecord } from '../../src/lib/vault/envelope-record.ts';
import { releaseKey, releaseKeys } from '../../src/lib/vault/release.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { newBlobId } from '../support/vault-side.ts';
import { openVaultWorld, type VaultWorld } from '../support/vault-world.ts';

let world: VaultWorld;

beforeEach(async () => {
  world = await openVaultWorld();
});

/** A blob with an envelope around a new content key. */
async function envelop(purpose: 'file' | 'inbox' = 'file'): Promise<{ blob: BlobId; contentKey: Bytes }> {
  const { broker, vault, epoch, vaultKey, requireGrant } = world.open;
  const blob = newBlobId();
  await world.cloud.vaultObjects.create(vault, `blobs/${blob}`, randomBytes(8));
  const order = { grant: requireGrant(), purpose, epoch, blobs: [blob] };
  const { keys } = await broker.call(keysGenerate, order);
  const contentKey = randomBytes(32);
  const [kmsHalf, kmsBlob] = [fromB64Url(keys[0]!.kmsHalf), fromB64Url(keys[0]!.kmsBlob)];
  const envelope = await sealEnvelope({
    ...{ purpose, vault, blob, epoch, contentKey, kmsHalf, kmsBlob, vaultKey },
  });
  await broker.call(envelopesWrite, {
    envelopes: [{ blob, envelope: toRecord(envelope), proof: keys[0]!.proof }],
  });
  return { blob, contentKey };
}
const nameOf = (blob: BlobId) => ({ blob, epoch: world.open.epoch });
const named = (...blobs: BlobId[]) => blobs.map(nameOf);

describe('keys that are released', () => {
  it('are those of the blobs, each by its own; of a blob without an envelope it is said', async () => {
    const [a, b, bare] = [await envelop(), await envelop(), newBlobId()];
    const keys = await releaseKeys(world.open, 'file', named(a.blob, bare, b.blob));
    expect([keys.get(a.blob), keys.get(b.blob)]).toEqual([a.contentKey, b.contentKey]);
    expect(keys.get(bare)).toMatchObject({ code: 'key_absent' });
  });

  it('come by as many requests as a code’s releases want', async () => {
    const made = [await envelop(), await envelop(), await envelop()];
    const open = { ...world.open, releasesPerCode: () => 2 };
    const keys = await releaseKeys(
      open,
      'file',
      made.map(({ blob }) => ({ blob, epoch: world.open.epoch })),
    );
    expect(keys.size).toBe(3);
    expect(world.times(keysRelease)).toBe(2);
  });

  it('are asked for by blob and epoch alone, whatever else is known of them', async () => {
    const { blob, contentKey } = await envelop();
    const asked: unknown[] = [];
    const broker = Object.create(world.open.broker) as typeof world.open.broker;
    broker.call = (route, request, options) => {
      asked.push(request);
      return world.open.broker.call(route, request, options);
    };
    const version = { ...nameOf(blob), digest: 'x', sizeBytes: 1 };
    expect(await releaseKey({ ...world.open, broker }, 'file', version)).toEqual(contentKey);
    expect(asked).toEqual([{ grant: world.open.requireGrant(), purpose: 'file', names: [nameOf(blob)] }]);
  });

  it('are none for none, and nobody is asked', async () => {
    world.isOpen = false;
    expect(await releaseKeys(world.open, 'file', [])).toEqual(new Map());
    expect(world.times(keysRelease)).toBe(0);
  });

  it('are none without a grant: the broker is not asked', async () => {
    const { blob } = await envelop();
    world.isOpen = false;
    expect(await refusalCode(releaseKeys(world.open, 'file', named(blob)))).toBe('locked');
    expect(world.times(keysRelease)).toBe(0);
  });

  it('are not those of another purpose', async () => {
    const { blob } = await envelop('inbox');
    expect(await refusalCode(releaseKey(world.open, 'file', nameOf(blob)))).toBe('record_corrupt');
  });

  it('are not opened with another vault key', async () => {
    const { blob } = await envelop();
    const open = { ...world.open, vaultKey: randomBytes(32) };
    expect(await refusalCode(releaseKey(open, 'file', nameOf(blob)))).toBe('kms_half_wrong');
  });

  it('are not those that a broker gives away unasked', async () => {
    const [wanted, other] = [await envelop(), await envelop()];
    world.interfere = async (route, request, effect) => {
      if (route !== keysRelease) return effect();
      (request as { names: unknown[] }).names.push(...named(other.blob));
      const answer = (await effect()) as { keys: { blob: string }[] };
      (request as { names: unknown[] }).names.pop();
      return answer;
    };
    const keys = await releaseKeys(world.open, 'file', named(wanted.blob));
    expect([...keys.keys()]).toEqual([wanted.blob]);
  });

  it.each([
    ['envelope_corrupt', { salt: 'short' }],
    ['envelope_corrupt', { more: 1 }],
    ['envelope_corrupt', { sealedKey: undefined }],
    ['format_unknown', { suite: 'halfkey/9' }],
  ])('are none of an envelope that is %s, %j, and those of the others', async (code, change) => {
    const [bad, good] = [await envelop(), await envelop()];
    world.interfere = async (_route, _request, effect) => {
      const answer = (await effect()) as { keys: { blob: string; envelope: object }[] };
      const keys = answer.keys.map((key) =>
        key.blob === bad.blob ? { ...key, envelope: { ...key.envelope, ...change } } : key,
      );
      return { ...answer, keys };
    };
    const keys = await releaseKeys(world.open, 'file', named(bad.blob, good.blob));
    expect(keys.get(bad.blob)).toMatchObject({ code });
    expect(keys.get(good.blob)).toEqual(good.contentKey);
  });

  it('are asked for no longer once that was called off', async () => {
    const { blob } = await envelop();
    const controller = new AbortController();
    controller.abort();
    await expect(releaseKeys(world.open, 'file', named(blob), controller.signal)).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(world.times(keysRelease)).toBe(0);
  });
});
