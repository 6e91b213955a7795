import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { VaultId } from '$contract/ids.ts';
import { inboxList, inboxRead, inboxRemove, inboxWrite } from '$contract/vault-inbox.ts';
import { type FaultProxy, s3Error, type SeenRequest, startFaultProxy } from '../support/fault-proxy.ts';
import { answer, ask } from '../support/vault-broker.ts';
import { problemOf, setUpInboxSetting } from '../support/vault-inbox.ts';

let proxy: FaultProxy;
const setting = setUpInboxSetting(async (world) => {
  proxy = await startFaultProxy(world.cloud.endpoint);
  return world.connect({ s3Endpoint: proxy.endpoint });
});
afterEach(() => {
  proxy.fault = () => undefined;
});
afterAll(() => proxy.close());

const send = (route: Parameters<typeof ask>[2], vault: VaultId, request: unknown) =>
  ask(setting.app, setting.alice, route, vault, request);

const removal = (grant: string, blobs: readonly string[]) => ({
  grant,
  names: blobs.map((blob) => ({ device: setting.alice.device, blob })),
});

const isTo =
  (...methods: string[]) =>
  ({ method, path }: SeenRequest): boolean =>
    methods.includes(method) && path.includes('/inbox');

/**
 * Runs it once for each request to S3 that it makes, with that one going wrong, and in the end with none.
 * @returns how many requests there were
 */
async function withEachRequest<Given>(
  kind: 'lost' | 'reply-lost',
  prepare: () => Promise<Given>,
  run: (given: Given) => Promise<void>,
): Promise<number> {
  for (let nth = 1; ; nth += 1) {
    const given = await prepare();
    let count = 0;
    proxy.fault = () => {
      count += 1;
      return count === nth ? { kind } : undefined;
    };
    await run(given);
    proxy.fault = () => undefined;
    if (count < nth) return count;
  }
}

describe.each(['lost', 'reply-lost'] as const)('whichever one request to S3 is %s', (kind) => {
  it('a record is written, and said to be', async () => {
    const vault = await setting.newVault();
    const requests = await withEachRequest(
      kind,
      async () => setting.record(vault, await setting.putBlob(vault)),
      async (record) => {
        expect(await answer(await send(inboxWrite, vault, { records: [record] }))).toEqual({ refused: [] });
      },
    );
    // The vault's record; what of the device waits; the blob; the inbox.
    expect(requests).toBe(4);
    expect((await setting.list(vault)).names).toHaveLength(requests + 1);
  });

  it('the list is whole', async () => {
    const vault = await setting.newVault();
    await setting.fill(vault, 2);
    const whole = await setting.read(vault);
    expect(whole.map(({ stored }) => stored?.sizeBytes)).toEqual([40, 40]);
    const requests = await withEachRequest(
      kind,
      () => Promise.resolve(),
      async () => {
        expect(await setting.read(vault)).toEqual(whole);
      },
    );
    // Twice the vault's record, the list, and two for each.
    expect(requests).toBe(7);
  });

  it('what is to be removed is removed, and logged once', async () => {
    const vault = await setting.newVault();
    const { id: grant } = await setting.broker.grants.issue(setting.alice, { kind: 'release' });
    const requests = await withEachRequest(
      kind,
      async () => {
        const blobs = (await setting.fill(vault, 2)).map(({ blob }) => blob);
        return { blobs, events: await setting.broker.events.head(setting.alice.account) };
      },
      async ({ blobs, events }) => {
        expect(await answer(await send(inboxRemove, vault, removal(grant, blobs)))).toEqual({ refused: [] });
        const head = await setting.broker.events.head(setting.alice.account);
        expect(head?.seq).toBe((events?.seq ?? -1) + 1);
      },
    );
    expect(requests).toBeGreaterThanOrEqual(6);
    expect(await setting.versionsBelow(vault, 'inbox/')).toBe(0);
  });
});

describe('while S3 does not answer', () => {
  it('nothing is said to be written, and the same request succeeds later', async () => {
    const vault = await setting.newVault();
    const records = [setting.record(vault, await setting.putBlob(vault))];
    // The first reply is lost, and nothing gets through after it: the record is there, and no device knows.
    proxy.fault = (request) => (isTo('PUT', 'GET')(request) ? { kind: 'reply-lost' } : undefined);
    expect(await problemOf(await send(inboxWrite, vault, { records }))).toMatchObject({
      code: 'store_unreachable',
    });
    proxy.fault = () => undefined;
    await answer(await send(inboxWrite, vault, { records }));
    expect(await setting.read(vault)).toMatchObject(records);
  });

  it('a listing is a failure, not an empty inbox', async () => {
    const vault = await setting.newVault();
    await setting.fill(vault, 1);
    for (const fault of [
      { kind: 'lost' } as const,
      { kind: 'answer', status: 503, body: s3Error('SlowDown') } as const,
    ]) {
      proxy.fault = ({ query }) => (query.includes('list-type=2') ? fault : undefined);
      const response = await send(inboxList, vault, { after: '' });
      expect(await problemOf(response)).toMatchObject({ code: 'store_unreachable' });
    }
  });

  it('a blob that S3 refuses to speak of is not taken for lost', async () => {
    const vault = await setting.newVault();
    const [{ blob, record } = { blob: '', record: '' }] = await setting.fill(vault, 1);
    proxy.fault = ({ method }) => (method === 'HEAD' ? { kind: 'answer', status: 403, body: '' } : undefined);
    for (const response of [
      await send(inboxWrite, vault, { records: [{ blob, record }] }),
      await send(inboxRead, vault, { names: [{ device: setting.alice.device, blob }] }),
    ]) {
      expect(await problemOf(response)).toMatchObject({ code: 'internal' });
    }
  });

  it('a removal that ended half-way is repeated', async () => {
    const vault = await setting.newVault();
    const blobs = (await setting.fill(vault, 3)).map(({ blob }) => blob);
    const { id: grant } = await setting.broker.grants.issue(setting.alice, { kind: 'release' });
    proxy.fault = ({ method, query }) =>
      method === 'POST' && query.includes('delete') ? { kind: 'lost' } : undefined;
    expect(await problemOf(await send(inboxRemove, vault, removal(grant, blobs)))).toMatchObject({
      code: 'store_unreachable',
    });
    proxy.fault = () => undefined;
    expect(await setting.versionsBelow(vault, 'inbox/')).toBe(3);
    await answer(await send(inboxRemove, vault, removal(grant, blobs)));
    expect(await setting.versionsBelow(vault, 'inbox/')).toBe(0);
  });
});
