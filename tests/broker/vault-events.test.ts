import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { serve, type ServerType } from '@hono/node-server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Head } from '$contract/accounts.ts';
import type { BlobId, VaultId } from '$contract/ids.ts';
import { OBJECT_DISPOSITION, OBJECT_TYPE } from '$contract/limits.ts';
import { VAULT_EVENTS_PATH } from '$contract/vault-events.ts';
import type { CloudPorts } from '../../broker/aws/broker-clients.ts';
import type { Session } from '../../broker/domain/account/session.ts';
import { recordOf } from '../support/inbox-records.ts';
import { MemoryVaultCloud, newVaultId, sha256B64 } from '../support/memory-vault-cloud.ts';
import { serveVaults, signed } from '../support/vault-broker.ts';
import {
  deviceOf,
  newBlobId,
  newSession,
  openVault,
  segmentAfter,
  startVaultSide,
  type TestVaultSide,
} from '../support/vault-side.ts';
import { setUpVaultCloud } from '../support/set-up-vaults.ts';

/** A broker that listens on a port. */
interface Listening {
  readonly broker: TestVaultSide;
  readonly server: ServerType;
  readonly origin: string;
  /** Polls for heads so far: reads of `m/<vault>` that no request asked for are among them. */
  reads: number;
}

const world = setUpVaultCloud();
let ports: CloudPorts;
const brokers: Listening[] = [];
let session: Session;
const sessions: Session[] = [];
let vault: VaultId;
let head: Head;
const open: AbortController[] = [];

async function listen(): Promise<Listening> {
  const listening: { reads: number } = { reads: 0 };
  const state: CloudPorts['state'] = {
    ...ports.state,
    read: (key) => {
      listening.reads += 1;
      return ports.state.read(key);
    },
  };
  const broker = startVaultSide({
    state,
    objects: ports.vaultObjects,
    kms: ports.vaultKms,
    purger: ports.purger,
  });
  const app = serveVaults(broker, sessions);
  const server = await new Promise<ServerType>((resolve) => {
    const starting = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => {
      resolve(starting);
    });
  });
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return Object.assign(listening, { broker, server, origin });
}

/** Reads a stream of events for as long as it lasts. */
async function subscribe({ origin }: Listening) {
  const controller = new AbortController();
  open.push(controller);
  const path = VAULT_EVENTS_PATH.replace(':vault', encodeURIComponent(vault));
  const response = await fetch(origin + path, {
    headers: await signed(session, 'GET', path),
    signal: controller.signal,
  });
  const heads: Head[] = [];
  const stream = {
    response,
    heads,
    /** Events `inbox` so far. */
    inbox: 0,
    ended: false,
    stop: () => {
      controller.abort();
    },
  };
  const read = async (): Promise<void> => {
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString();
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [, data] = /^event: head\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
        if (data !== undefined) heads.push(JSON.parse(data) as Head);
        // The line of data has to be there: browsers pass over an event without one.
        if (text.slice(0, end) === 'event: inbox\ndata: ') stream.inbox += 1;
        text = text.slice(end + 2);
      }
    }
  };
  void read()
    .catch(() => undefined)
    .finally(() => {
      stream.ended = true;
    });
  return stream;
}

const first = (): Listening => {
  const [broker] = brokers;
  if (!broker) throw new Error('expected a broker');
  return broker;
};

async function append(at: Listening = first()): Promise<void> {
  head = await at.broker.log.append(vault, head, segmentAfter(head));
}

beforeAll(async () => {
  ports = world.connect();
  session = newSession();
  sessions.push(session);
  brokers.push(await listen(), await listen());
  vault = await world.newVault(ports);
  head = await openVault(first().broker, session, vault);
});
afterEach(() => {
  for (const controller of open.splice(0)) controller.abort();
});
afterAll(() => {
  for (const { broker, server } of brokers) {
    broker.close();
    server.close();
  }
});

describe('server-sent events of heads', () => {
  it('say the present head at once, as an event stream that nobody keeps', async () => {
    const stream = await subscribe(first());
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.response.headers.get('cache-control')).toContain('no-cache');
    expect(stream.response.headers.get('x-accel-buffering')).toBe('no');
    await expect.poll(() => stream.heads).toEqual([head]);
  });

  it('say what was written through the same broker and through another, once each and in order', async () => {
    const stream = await subscribe(first());
    const [, other] = brokers;
    await expect.poll(() => stream.heads.length).toBe(1);
    await append(first());
    await expect.poll(() => stream.heads.at(-1)).toEqual(head);
    await append(other);
    await expect.poll(() => stream.heads.at(-1), { timeout: 5_000 }).toEqual(head);
    expect(stream.heads.map(({ seq }) => seq)).toEqual([head.seq - 2, head.seq - 1, head.seq]);
  });

  it('begin with the true head when the record lags behind', async () => {
    const segment = segmentAfter(head);
    await ports.vaultObjects.create(vault, `log/${String(head.seq + 1)}`, segment);
    const stream = await subscribe(first());
    await expect.poll(() => stream.heads[0]?.seq).toBe(head.seq + 1);
    [head] = stream.heads as [Head];
  });

  it('say that the inbox was written, whether all of the records could be or some', async () => {
    const at = first();
    const [stream, elsewhere] = [await subscribe(at), await subscribe(brokers[1] ?? at)];
    await expect.poll(() => stream.heads.length).toBe(1);
    const [blob, body] = [newBlobId(), Buffer.from('sealed')];
    const sha256 = sha256B64(body);
    const url = await ports.vaultObjects.presignPut(vault, `blobs/${blob}`, body.length, sha256);
    const headers = {
      'content-type': OBJECT_TYPE,
      'content-disposition': OBJECT_DISPOSITION,
      'if-none-match': '*',
      'x-amz-checksum-sha256': sha256,
    };
    expect((await fetch(url, { method: 'PUT', headers, body })).status).toBe(200);
    const signed = (of: BlobId) => ({ blob: of, record: recordOf(deviceOf(session), vault, of) });
    const record = signed(blob);
    expect(await at.broker.inbox.write(session, vault, [record])).toEqual([]);
    await expect.poll(() => stream.inbox).toBe(1);
    const lost = signed(newBlobId());
    const isLost = [{ blob: lost.blob, code: 'upload_lost' }];
    expect(await at.broker.inbox.write(session, vault, [lost])).toEqual(isLost);
    expect(await at.broker.inbox.write(session, vault, [lost, record])).toEqual(isLost);
    await expect.poll(() => stream.inbox).toBe(2);
    // A head written after it through the other broker comes through both: what was to be told before has been.
    await append(brokers[1]);
    await expect.poll(() => stream.heads.at(-1), { timeout: 5_000 }).toEqual(head);
    expect([stream.inbox, elsewhere.inbox]).toEqual([2, 0]);
  });

  it('are limited in number per account, and a place is free again when a client goes', async () => {
    const streams = [];
    for (let count = 0; count < 16; count += 1) streams.push(await subscribe(first()));
    const refused = await subscribe(first());
    expect(refused.response.status).toBe(429);
    // The other process counts its own.
    expect((await subscribe(brokers[1] ?? first())).response.status).toBe(200);
    streams[0]?.stop();
    await expect.poll(async () => (await subscribe(first())).response.status).toBe(200);
  });

  it('cost nothing once the clients have gone', async () => {
    const at = first();
    const stream = await subscribe(at);
    await expect.poll(() => stream.heads.length).toBe(1);
    const { reads } = at;
    await expect.poll(() => at.reads, { timeout: 5_000 }).toBeGreaterThan(reads);
    for (const controller of open.splice(0)) controller.abort();
    // Quiet for longer than a poll takes: the count stays the same over two looks a second and a half apart.
    let before = -1;
    await expect
      .poll(
        () => {
          const same = at.reads === before;
          before = at.reads;
          return same;
        },
        { interval: 1_500, timeout: 20_000 },
      )
      .toBe(true);
  });

  it('are not begun by a HEAD, which is answered as a GET is', async () => {
    const own = newSession();
    sessions.push(own);
    const id = await world.newVault(ports);
    await openVault(first().broker, own, id);
    const path = VAULT_EVENTS_PATH.replace(':vault', encodeURIComponent(id));
    const url = first().origin + path;
    const headers = await signed(own, 'HEAD', path);
    for (let count = 0; count < 20; count += 1) {
      const response = await fetch(url, { method: 'HEAD', headers });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('text/event-stream');
      expect(response.headers.get('cache-control')).toContain('no-cache');
      expect(response.headers.get('x-accel-buffering')).toBe('no');
      expect(await response.text()).toBe('');
    }
    const controller = new AbortController();
    open.push(controller);
    const toRead = await signed(own, 'GET', path);
    expect((await fetch(url, { headers: toRead, signal: controller.signal })).status).toBe(200);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(401);
  });

  it('keep no place for clients that went before they were answered', async () => {
    const own = newSession();
    sessions.push(own);
    const id = await world.newVault(ports);
    await openVault(first().broker, own, id);
    const path = VAULT_EVENTS_PATH.replace(':vault', encodeURIComponent(id));
    const { hostname, port } = new URL(first().origin);
    const headers = await signed(own, 'GET', path);
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    for (let count = 0; count < 40; count += 1) {
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n${head.join('')}\r\n`);
      await new Promise((resolve) => setTimeout(resolve, count % 8));
      socket.destroy();
    }
    await expect
      .poll(async () => {
        const controller = new AbortController();
        open.push(controller);
        return (await fetch(first().origin + path, { headers, signal: controller.signal })).status;
      })
      .toBe(200);
  });

  it('are refused without a session, and for the vaults of others', async () => {
    const path = VAULT_EVENTS_PATH.replace(':vault', encodeURIComponent(vault));
    const url = first().origin + path;
    expect((await fetch(url)).status).toBe(401);
    const stranger = newSession();
    sessions.push(stranger);
    const response = await fetch(url, { headers: await signed(stranger, 'GET', path) });
    expect(response.status).toBe(403);
  });

  it('end when the broker ends', async () => {
    const at = await listen();
    const stream = await subscribe(at);
    await expect.poll(() => stream.heads.length).toBe(1);
    at.broker.close();
    await expect.poll(() => stream.ended).toBe(true);
    at.server.close();
  });
});

describe('a stream that goes on', () => {
  /** With all of the world in memory, so that the clock is the test's. */
  async function streaming() {
    const cloud = new MemoryVaultCloud();
    const broker = startVaultSide({
      state: cloud.state,
      objects: cloud.vaultObjects,
      kms: cloud.kms,
      purger: cloud.purger,
    });
    const own = newSession();
    const live = [own];
    const id = newVaultId();
    await openVault(broker, own, id);
    const path = VAULT_EVENTS_PATH.replace(':vault', encodeURIComponent(id));
    const response = await serveVaults(broker, live).request(path, {
      headers: await signed(own, 'GET', path),
    });
    const chunks: string[] = [];
    const state = { ended: false };
    void (async () => {
      for await (const chunk of response.body ?? []) chunks.push(Buffer.from(chunk as Uint8Array).toString());
      state.ended = true;
    })();
    return { broker, live, chunks, state };
  }

  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('carries a comment every 15 seconds', async () => {
    const { broker, chunks, state } = await streaming();
    await vi.advanceTimersByTimeAsync(14_900);
    expect(chunks).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(30_200);
    expect(chunks.slice(1)).toEqual([':\n\n', ':\n\n', ':\n\n']);
    expect(state.ended).toBe(false);
    broker.close();
  });

  it('ends within 15 seconds of its session', async () => {
    const { broker, live, state } = await streaming();
    await vi.advanceTimersByTimeAsync(20_000);
    live.pop();
    expect(state.ended).toBe(false);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(state.ended).toBe(true);
    broker.close();
  });
});
