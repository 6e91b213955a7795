import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import * as v from 'valibot';
import { uploadComplete, uploadList } from '$contract/vault-blobs.ts';
import { VAULT_EVENTS_PATH } from '$contract/vault-events.ts';
import { createRecordCodec } from '../../broker/domain/state/record-codec.ts';
import { createRecords } from '../../broker/domain/state/records.ts';
import { compositeDigest } from '../../broker/domain/vault/uploads.ts';
import type { VaultObjects } from '../../broker/ports/vaults.ts';
import type { AccountClient } from '../support/account-client.ts';
import { startTestBroker } from '../support/broker.ts';
import { MemoryVaultCloud, sha256B64 } from '../support/memory-vault-cloud.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { until } from '../support/broker-process.ts';
import { setUpBroker } from '../support/set-up-broker.ts';
import { startVaultCloud } from '../support/vault-cloud.ts';
import { newBlobId } from '../support/vault-side.ts';

/** For the body of an object. */
const READ_MS = 20_000;

/** Something that is under way until the test lets it end. */
class Gate {
  reached = 0;
  open!: () => void;
  readonly #opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });

  pass(): Promise<void> {
    this.reached += 1;
    return this.#opened;
  }
}

let client: AccountClient;
/** Reads of `m/<vault>`. */
let recordReads = 0;
let objects: Partial<VaultObjects> = {};
const { cloud, clock, newClient } = setUpBroker(({ connect }) => {
  const ports = connect();
  const own = ports.vaultObjects;
  return {
    ports: {
      ...ports,
      state: {
        ...ports.state,
        read: (key) => {
          if (key.startsWith('m/')) recordReads += 1;
          return ports.state.read(key);
        },
      },
      vaultObjects: {
        ...own,
        list: (...args) => (objects.list ?? own.list)(...args),
        listParts: (...args) => (objects.listParts ?? own.listParts)(...args),
        completeUpload: (...args) => (objects.completeUpload ?? own.completeUpload)(...args),
        describe: (...args) => (objects.describe ?? own.describe)(...args),
      },
    },
  };
});

beforeAll(async () => {
  client = newClient();
  await client.signUp('limits');
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  objects = {};
});

const useFakeTimers = () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
};
/** Waits in real time: the requests are real, only the limits are not. */
const realSetTimeout = setTimeout;
const reached = async (gate: Gate): Promise<void> => {
  while (gate.reached === 0) await new Promise((resolve) => realSetTimeout(resolve, 5));
};

describe('a request that takes long', () => {
  it('is answered after 30 seconds that the store does not answer', async () => {
    const gate = new Gate();
    objects.listParts = async () => {
      await gate.pass();
      return undefined;
    };
    useFakeTimers();
    const reply = client.call(uploadList, { blob: newBlobId(), uploadId: 'x' });
    await reached(gate);
    vi.advanceTimersByTime(30_000);
    expect(await reply).toMatchObject({ status: 503, code: 'store_unreachable' });
    gate.open();
  });

  it('is waited for when it is the completion of an upload, for which S3 takes minutes', async () => {
    const gate = new Gate();
    const sha256 = sha256B64(Buffer.from('part'));
    const digest = compositeDigest([sha256]);
    objects.completeUpload = async () => {
      await gate.pass();
      return { kind: 'completed', digest };
    };
    objects.describe = () => Promise.resolve({ sizeBytes: 4, sha256: digest, modifiedMs: Date.now() });
    useFakeTimers();
    const parts = [{ partNumber: 1, etag: '"e"', sha256 }];
    const reply = client.call(uploadComplete, { blob: newBlobId(), uploadId: 'x', sizeBytes: 4, parts });
    await reached(gate);
    vi.advanceTimersByTime(300_000);
    gate.open();
    expect(await reply).toMatchObject({ ok: true, answer: { digest } });
  });

  it('leaves no stream of events behind that nobody reads', async () => {
    const gate = new Gate();
    objects.list = async () => {
      await gate.pass();
      return { objects: [], more: false };
    };
    useFakeTimers();
    const path = VAULT_EVENTS_PATH.replace(':vault', encodeURIComponent(client.vault));
    const response = client.raw('GET', path);
    await reached(gate);
    vi.advanceTimersByTime(30_000);
    expect((await response).status).toBe(503);
    gate.open();
    // Were there a stream, its vault would be polled from now on.
    await new Promise((resolve) => realSetTimeout(resolve, 50));
    const before = recordReads;
    for (let poll = 0; poll < 5; poll += 1) {
      vi.advanceTimersByTime(1000);
      await new Promise((resolve) => realSetTimeout(resolve, 20));
    }
    expect(recordReads).toBe(before);
  });
});

describe('a probe', () => {
  it('hears within five seconds that S3 hangs, and any number of probes ask it once', async () => {
    const gate = new Gate();
    const checks = {
      s3: async () => {
        await gate.pass();
        return clock.nowMs;
      },
      kms: () => Promise.resolve(),
    };
    const own = await startTestBroker(cloud, clock, { ports: { checks } });
    useFakeTimers();
    const probes = Array.from({ length: 50 }, async () => own.app.request('/readyz'));
    await reached(gate);
    vi.advanceTimersByTime(5_000);
    const answers = await Promise.all(probes);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
    expect(await answers[0]!.json()).toEqual({
      status: 'not ready',
      s3: 'unreachable',
      kms: 'ok',
      clock: 'unknown',
    });
    expect(gate.reached).toBe(1);
    gate.open();
    expect((await own.app.request('/readyz')).status).toBe(200);
    expect(gate.reached).toBe(2);
    own.app.close();
  });
});

describe('a record whose writer is held up', () => {
  it('is not written for who has waited too long, and is for who comes later', async () => {
    const memory = new MemoryVaultCloud();
    const gate = new Gate();
    const held = {
      ...memory.state,
      read: async (key: string) => {
        if (gate.reached === 0) await gate.pass();
        return memory.state.read(key);
      },
    };
    const records = createRecords(held, createRecordCodec(Buffer.alloc(32)));
    const add = () => records.update('k', v.number(), (count = 0) => count + 1);
    vi.useFakeTimers({ toFake: ['performance'] });
    const [first, second] = [add(), add().catch((problem: unknown) => problem)];
    await reached(gate);
    vi.advanceTimersByTime(21_000);
    gate.open();
    expect(await first).toBe(1);
    expect(await second).toMatchObject({ code: 'store_unreachable' });
    expect(await add()).toBe(2);
  });
});

describe('an object of which half arrives', () => {
  it('is given up when its time is over: nothing waits for it for ever', async () => {
    const limits: (() => void)[] = [];
    const { setTimeout: begin } = globalThis;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation((run, ms, ...args) => {
      if (ms !== READ_MS) return begin(run, ms, ...args);
      limits.push(run);
      return begin(() => undefined, 0);
    });
    const world = await startVaultCloud();
    const proxy = await startFaultProxy(world.cloud.endpoint);
    const ports = world.connect({ s3Endpoint: proxy.endpoint });
    const vault = await world.newVault(ports);
    await ports.state.create('a/x', Buffer.from('a record'));
    await ports.vaultObjects.create(vault, 'log/1', Buffer.from('a segment'));
    for (const [end, read] of [
      ['/a/x', () => ports.state.read('a/x')],
      ['/log/1', () => ports.vaultObjects.read(vault, 'log/1')],
    ] as const) {
      // Without those of what was read before.
      limits.length = 0;
      proxy.fault = ({ path }) => (path.endsWith(end) ? { kind: 'half' } : undefined);
      const from = proxy.seen.length;
      const outcome = read().catch((problem: unknown) => problem);
      await until(() => limits.length > 0 && proxy.seen.slice(from).some(({ path }) => path.endsWith(end)));
      for (const limit of limits) limit();
      expect(await outcome).toMatchObject({ code: 'store_unreachable' });
    }
    await proxy.close();
    await world.close();
  });
});
