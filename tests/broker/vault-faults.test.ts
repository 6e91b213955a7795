import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Head } from '$contract/accounts.ts';
import type { VaultId } from '$contract/ids.ts';
import { sharedCredentials } from '../../broker/aws/vault-credentials.ts';
import { kmsFault, storeFault } from '../../broker/aws/vault-faults.ts';
import type { CloudPorts } from '../../broker/aws/broker-clients.ts';
import { hashOf } from '../../broker/domain/vault/log.ts';
import {
  type Fault,
  type FaultProxy,
  s3Error,
  type SeenRequest,
  startFaultProxy,
} from '../support/fault-proxy.ts';
import { AccountClient } from '../support/account-client.ts';
import { startTestBroker, TestClock, type TestCloud } from '../support/broker.ts';
import { sha256B64 } from '../support/memory-vault-cloud.ts';
import {
  envelopeOf,
  newBlobId,
  newSession,
  openVault,
  segmentAfter,
  startVaultSide,
  type TestVaultSide,
} from '../support/vault-side.ts';
import { setUpVaultCloud } from '../support/set-up-vaults.ts';

const world = setUpVaultCloud();
let proxy: FaultProxy;
let ports: CloudPorts;
let broker: TestVaultSide;

beforeAll(async () => {
  proxy = await startFaultProxy(world.cloud.endpoint);
  ports = world.connect({
    s3Endpoint: proxy.endpoint,
    kmsEndpoint: proxy.endpoint,
    cognitoEndpoint: proxy.endpoint,
  });
  broker = startVaultSide({
    state: ports.state,
    objects: ports.vaultObjects,
    kms: ports.vaultKms,
    purger: ports.purger,
  });
});
afterEach(() => {
  proxy.fault = () => undefined;
});
afterAll(async () => {
  broker.close();
  await proxy.close();
});

async function newVault(): Promise<{
  vault: VaultId;
  genesis: Head;
  account: ReturnType<typeof newSession>;
}> {
  const account = newSession();
  const vault = await world.newVault(ports);
  return { vault, genesis: await openVault(broker, account, vault), account };
}

/** The fault, for the first `times` requests that it is meant for; counts them all. */
function failing(
  meant: (request: SeenRequest) => boolean,
  fault: Fault,
  times = Infinity,
): { count: number } {
  const met = { count: 0 };
  proxy.fault = (request) => {
    if (!meant(request)) return undefined;
    met.count += 1;
    return met.count <= times ? fault : undefined;
  };
  return met;
}
const answer = (status: number, code: string, after = false): Fault => ({
  kind: 'answer',
  status,
  body: s3Error(code),
  after,
});
const put = (end: string) => (request: SeenRequest) => request.method === 'PUT' && request.path.endsWith(end);

describe('an append whose requests go wrong', () => {
  it.each(['lost', 'reply-lost'] as const)('ends in one segment, whichever request is %s', async (kind) => {
    // As many requests as an append makes, and more.
    for (let nth = 0; nth < 6; nth += 1) {
      const { vault, genesis, account } = await newVault();
      const segment = segmentAfter(genesis);
      let index = -1;
      proxy.fault = () => {
        index += 1;
        return index === nth ? { kind } : undefined;
      };
      const head = await broker.log.append(vault, genesis, segment);
      proxy.fault = () => undefined;
      expect(head).toEqual({ seq: 1, hash: hashOf(segment) });
      const known = (await broker.requireMember(account.account, vault)).head;
      expect(await broker.log.read(vault, known, 1)).toMatchObject({ head, segments: { length: 1 } });
    }
  });

  it('says that the store does not answer when nothing gets through, and succeeds when repeated', async () => {
    const { vault, genesis } = await newVault();
    const segment = segmentAfter(genesis);
    const met = failing(put('/log/1'), { kind: 'reply-lost' });
    await expect(broker.log.append(vault, genesis, segment)).rejects.toMatchObject({
      code: 'store_unreachable',
    });
    expect(met.count).toBeGreaterThan(1);
    proxy.fault = () => undefined;
    expect((await broker.log.append(vault, genesis, segment)).seq).toBe(1);
  });

  it('sends the same bytes again after each 409 until S3 has made up its mind', async () => {
    const { vault, genesis } = await newVault();
    const segment = segmentAfter(genesis);
    const from = proxy.seen.length;
    failing(put('/log/1'), answer(409, 'ConditionalRequestConflict'), 3);
    expect((await broker.log.append(vault, genesis, segment)).seq).toBe(1);
    const sent = proxy.seen.slice(from).filter(put('/log/1'));
    expect(sent).toHaveLength(4);
    expect(new Set(sent.map(({ body }) => sha256B64(body))).size).toBe(1);
  });

  it('recognises its own write behind a 409 that came after the effect', async () => {
    const { vault, genesis } = await newVault();
    failing(put('/log/1'), answer(409, 'ConditionalRequestConflict', true), 1);
    expect((await broker.log.append(vault, genesis, segmentAfter(genesis))).seq).toBe(1);
  });

  it('takes 503 SlowDown for a wish to wait, not for an end', async () => {
    const { vault, genesis } = await newVault();
    const met = failing(put('/log/1'), answer(503, 'SlowDown'), 2);
    expect((await broker.log.append(vault, genesis, segmentAfter(genesis))).seq).toBe(1);
    expect(met.count).toBe(3);
  });

  it('fetches new credentials when S3 says that the kept ones are over', async () => {
    const { vault, genesis } = await newVault();
    const from = proxy.seen.length;
    failing(put('/log/1'), answer(400, 'ExpiredToken'), 1);
    expect((await broker.log.append(vault, genesis, segmentAfter(genesis))).seq).toBe(1);
    const fetched = proxy.seen
      .slice(from)
      .filter(({ target }) => target.endsWith('GetCredentialsForIdentity'));
    expect(fetched).toHaveLength(1);
  });

  it.each([
    [507, 'InsufficientStorage', 'store_full'],
    [500, 'InternalError', 'store_unreachable'],
    [403, 'AccessDenied', 'internal'],
    [400, 'InvalidRequest', 'internal'],
  ])('answers S3’s %i %s as %s', async (status, name, code) => {
    const { vault, genesis } = await newVault();
    failing(put('/log/1'), answer(status, name));
    await expect(broker.log.append(vault, genesis, segmentAfter(genesis))).rejects.toMatchObject({ code });
  });

  it('infers no absence from a 403', async () => {
    const { vault } = await newVault();
    failing(({ method }) => method === 'GET', answer(403, 'AccessDenied'));
    await expect(ports.vaultObjects.read(vault, 'log/1')).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('a completion whose answers go wrong', () => {
  const isComplete = ({ method, query }: SeenRequest): boolean =>
    method === 'POST' && query.includes('uploadId=');

  async function uploaded() {
    const { vault, account } = await newVault();
    const blob = newBlobId();
    const bytes = randomBytes(300);
    const sha256 = sha256B64(bytes);
    const uploadId = await broker.uploads.create(account, vault, { blob, sizeBytes: bytes.length });
    const parts = [{ partNumber: 1, sizeBytes: bytes.length, sha256 }];
    const [signed] = await broker.uploads.partUrls(vault, { blob, uploadId, parts });
    const response = await fetch(signed?.url ?? '', {
      method: 'PUT',
      headers: { 'x-amz-checksum-sha256': sha256 },
      body: bytes,
    });
    const etag = response.headers.get('etag') ?? '';
    const order = { blob, uploadId, sizeBytes: bytes.length, parts: [{ partNumber: 1, etag, sha256 }] };
    return { vault, blob, order };
  }

  it('takes a 200 with an error in its body for the failure that it is, and tries again', async () => {
    const { vault, order } = await uploaded();
    const met = failing(isComplete, answer(200, 'InternalError'), 1);
    expect(await broker.uploads.complete(vault, order)).toMatch(/=-1$/);
    expect(met.count).toBe(2);
  });

  it('is a success when the answer was lost and S3 knows the upload no more', async () => {
    const { vault, order } = await uploaded();
    failing(isComplete, { kind: 'reply-lost' }, 1);
    expect(await broker.uploads.complete(vault, order)).toMatch(/=-1$/);
  });

  it('asks for the same bytes as a new upload after a 409', async () => {
    const { vault, order } = await uploaded();
    failing(isComplete, answer(409, 'ConditionalRequestConflict'));
    await expect(broker.uploads.complete(vault, order)).rejects.toMatchObject({
      code: 'upload_lost',
    });
  });
});

describe('an object that is longer than any that a broker writes', () => {
  it('is damaged, and is not read to its end', async () => {
    const { vault } = await newVault();
    const toRead = ({ method, path }: SeenRequest): boolean => method === 'GET' && path.endsWith('/log/0');
    const body = (sizeBytes: number): Fault => ({ kind: 'answer', status: 200, body: 'x'.repeat(sizeBytes) });
    failing(toRead, body(1024 * 1024));
    expect(await ports.vaultObjects.read(vault, 'log/0')).toHaveLength(1024 * 1024);
    failing(toRead, body(1024 * 1024 + 1));
    await expect(ports.vaultObjects.read(vault, 'log/0')).rejects.toMatchObject({ code: 'record_corrupt' });
  });
});

describe('a conflict between writes that does not end', () => {
  const conflict = answer(409, 'ConditionalRequestConflict');
  const anyPut = ({ method }: SeenRequest): boolean => method === 'PUT';
  const busy = { code: 'store_unreachable', retryAfterSeconds: 1 };
  const bytes = Buffer.from('state');
  const freshKey = () => `g/${randomBytes(16).toString('base64url')}/x`;

  it('is a store that is busy in the end', async () => {
    const key = freshKey();
    const tries = failing(anyPut, conflict);
    await expect(ports.state.create(key, bytes)).rejects.toMatchObject(busy);
    expect(tries.count).toBe(8);
    proxy.fault = () => undefined;
    expect(await ports.state.create(key, bytes)).toBe('created');
  });

  it('is waited for, whatever is to be written', async () => {
    const key = freshKey();
    const { vault } = await newVault();
    failing(anyPut, conflict, 1);
    expect(await ports.state.create(key, bytes)).toBe('created');
    const stored = await ports.state.read(key);
    expect(Buffer.from(stored?.bytes ?? []).equals(bytes)).toBe(true);
    failing(anyPut, conflict, 1);
    expect(await ports.state.replace(key, Buffer.from('next'), stored?.etag ?? '')).toBe('replaced');
    failing(anyPut, conflict, 1);
    expect(await ports.vaultObjects.create(vault, 'log/9', bytes)).toBe('created');
  });

  it('is told for its own write when that came through', async () => {
    const key = freshKey();
    failing(anyPut, answer(409, 'ConditionalRequestConflict', true), 1);
    expect(await ports.state.create(key, bytes)).toBe('created');
  });

  it('of what is erased, listed or begun is a store that is busy too', async () => {
    const { vault } = await newVault();
    const key = freshKey();
    await ports.state.create(key, bytes);
    failing(() => true, answer(409, 'OperationAborted'));
    await expect(ports.state.erase(key)).rejects.toMatchObject(busy);
    await expect(ports.vaultObjects.createUpload(vault, 'blobs/x')).rejects.toMatchObject(busy);
    await expect(ports.purger.eraseBelow([`v/${vault}/blobs/x`])).rejects.toMatchObject(busy);
  });

  it('is answered with 503 and Retry-After to whoever asks the broker', async () => {
    const clock = new TestClock();
    const whole = await startTestBroker({ cloud: world.cloud, connect: () => ports } as TestCloud, clock);
    const client = new AccountClient((path, init) => whole.app.request(path, init), clock);
    await client.signUp('conflicted');
    failing(({ method, path }) => method === 'PUT' && path.includes('/a/'), conflict);
    const response = await client.raw('POST', '/api/session/end', '{}');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await response.json()).toMatchObject({ code: 'store_unreachable', retryAfterSeconds: 1 });
    whole.app.close();
  });
});

describe('KMS that fails', () => {
  const kmsAnswer = (status: number, type: string): Fault => ({
    kind: 'answer',
    status,
    body: JSON.stringify({ __type: type, message: 'as the test wants it' }),
  });
  const toKms = ({ target }: SeenRequest): boolean => target.startsWith('TrentService.');

  it.each<[string, Fault, string, number]>([
    ['DisabledException', kmsAnswer(400, 'DisabledException'), 'kms_key_unusable', 1],
    ['KMSInvalidStateException', kmsAnswer(400, 'KMSInvalidStateException'), 'kms_key_unusable', 1],
    ['NotFoundException', kmsAnswer(400, 'NotFoundException'), 'kms_key_unusable', 1],
    ['AccessDeniedException', kmsAnswer(400, 'AccessDeniedException'), 'kms_key_unusable', 1],
    ['InvalidCiphertextException', kmsAnswer(400, 'InvalidCiphertextException'), 'record_corrupt', 1],
    ['IncorrectKeyException', kmsAnswer(400, 'IncorrectKeyException'), 'record_corrupt', 1],
    ['ThrottlingException', kmsAnswer(400, 'ThrottlingException'), 'kms_unreachable', 3],
    ['KMSInternalException', kmsAnswer(500, 'KMSInternalException'), 'kms_unreachable', 3],
    ['KeyUnavailableException', kmsAnswer(500, 'KeyUnavailableException'), 'kms_unreachable', 3],
    ['no answer', { kind: 'lost' }, 'kms_unreachable', 3],
  ])(
    '%s: the code says who can help, and only what passes is tried again',
    async (_name, fault, code, tries) => {
      const { vault, account } = await newVault();
      const { id: grant } = await broker.grants.issue(account, { kind: 'release' });
      const blob = newBlobId();
      const order = { grant, purpose: 'inbox' as const, epoch: 0, blobs: [blob] };
      const [made] = await broker.keys.generate(account, vault, order);
      const envelope = envelopeOf(made?.kmsBlob ?? Buffer.alloc(0), 0, 'inbox');
      await broker.keys.write(account, vault, { envelopes: [{ blob, envelope, proof: made?.proof }] });
      const met = failing(toKms, fault);
      const release = { grant, purpose: 'inbox' as const, names: [{ blob, epoch: 0 }] };
      const refused = broker.keys.release(account, vault, release).then(
        (answer) => answer.refused[0]?.code,
        (error: unknown) => (error as { code?: unknown }).code,
      );
      expect(await refused).toBe(code);
      expect(met.count).toBe(tries);
      proxy.fault = () => undefined;
      const { keys } = await broker.keys.release(account, vault, release);
      expect(keys[0]?.kmsHalf).toEqual(made?.kmsHalf);
    },
  );

  it('is passing throttling over without a word when the next try succeeds', async () => {
    const { vault, account } = await newVault();
    const { id: grant } = await broker.grants.issue(account, { kind: 'release' });
    failing(toKms, kmsAnswer(400, 'ThrottlingException'), 2);
    const order = { grant, purpose: 'file' as const, epoch: 0, blobs: [newBlobId()] };
    expect(await broker.keys.generate(account, vault, order)).toHaveLength(1);
  });

  it('takes an answer that broke off in the middle for none', () => {
    const broken = Object.assign(new Error('silence'), { $metadata: { httpStatusCode: 200 } });
    expect(kmsFault(broken).code).toBe('kms_unreachable');
    expect(storeFault(broken).code).toBe('store_unreachable');
  });

  it('takes a programming error for what it is', () => {
    expect(kmsFault(new TypeError('x')).code).toBe('internal');
    expect(storeFault(new RangeError('x')).code).toBe('internal');
  });
});

describe('credentials of a vault', () => {
  it('are fetched once for all requests, whatever their number', async () => {
    const { vault } = await newVault();
    const other = world.connect({ s3Endpoint: proxy.endpoint, cognitoEndpoint: proxy.endpoint });
    const from = proxy.seen.length;
    await Promise.all(Array.from({ length: 20 }, () => other.vaultObjects.read(vault, 'log/0')));
    await other.vaultKms.generateDataKey(vault, {
      app: 'halfkey',
      purpose: 'file',
      vault,
      blob: newBlobId(),
    });
    const targets = proxy.seen.slice(from).map(({ target }) => target);
    expect(targets.filter((target) => target.endsWith('.GetCredentialsForIdentity'))).toHaveLength(1);
  });

  it('make the store unreachable, not absent, when Cognito does not answer', async () => {
    const { vault } = await newVault();
    const other = world.connect({ cognitoEndpoint: proxy.endpoint });
    failing(({ target }) => target.endsWith('.GetCredentialsForIdentity'), { kind: 'lost' });
    await expect(other.vaultObjects.read(vault, 'log/0')).rejects.toMatchObject({
      code: 'store_unreachable',
    });
    proxy.fault = () => undefined;
    expect(await other.vaultObjects.read(vault, 'log/0')).toBeDefined();
  });

  it('of a vault that was never made here are not asked for', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000';
    const read = ports.vaultObjects.read(`us-east-1:${unknown}` as VaultId, 'log/0');
    await expect(read).rejects.toMatchObject({ code: 'not_a_member' });
  });

  /** As Cognito would give them out, lasting so long; `fetches` is how often it was asked. */
  function fetching(lastsMs: number) {
    const state = { fetches: 0, fails: false };
    const credentials = sharedCredentials(() => {
      state.fetches += 1;
      if (state.fails) return Promise.reject(new Error('no answer'));
      const expiration = new Date(Date.now() + lastsMs);
      const accessKeyId = String(state.fetches);
      return Promise.resolve({ accessKeyId, secretAccessKey: 's', sessionToken: 't', expiration });
    });
    const askThrice = () => Promise.all([credentials(), credentials(), credentials()]);
    return { state, credentials, askThrice };
  }

  it.each([
    ['kept while they last', 301_000, 1],
    ['fetched anew, once for all who ask, when they are near their end', 299_000, 3],
  ])('are %s', async (_name, lastsMs, fetches) => {
    const { state, askThrice } = fetching(lastsMs);
    for (let times = 0; times < 3; times += 1) await askThrice();
    expect(state.fetches).toBe(fetches);
  });

  it('that could not be fetched are asked for again', async () => {
    const { state, credentials } = fetching(3_600_000);
    state.fails = true;
    await expect(credentials()).rejects.toThrow('no answer');
    state.fails = false;
    expect((await credentials()).accessKeyId).toBe('2');
  });
});
