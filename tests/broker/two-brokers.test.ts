import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as account from '$contract/accounts.ts';
import { stateKeys } from '../../broker/domain/state/state-keys.ts';
import { AccountClient } from '../support/account-client.ts';
import { ORIGIN, startTestCloud, TestClock, type TestCloud } from '../support/broker.ts';
import { type BrokerProcess, runBroker, startBrokerProcess, until } from '../support/broker-process.ts';
import { freePort } from '../support/free-port.ts';

let cloud: TestCloud;
let brokers: BrokerProcess[] = [];

const environmentOf = (of: TestCloud) => ({
  HALFKEY_LOCAL_CLOUD: JSON.stringify(of.cloud.description),
  HALFKEY_ORIGIN: ORIGIN,
});

beforeAll(async () => {
  cloud = await startTestCloud();
  // Both at once on a new bucket: one makes the setup, the other takes it.
  brokers = await Promise.all([1, 2].map(() => startBrokerProcess(environmentOf(cloud))));
});
afterAll(async () => {
  await Promise.all(brokers.map((broker) => broker.stop()));
  await cloud.end();
});

/** The processes have the time of day, and so has the client's authenticator. */
function clientOf(broker: BrokerProcess): AccountClient {
  return new AccountClient((path, init) => fetch(`${broker.url}${path}`, init), new TestClock());
}

describe('two broker processes on one bucket', () => {
  it('know each other’s accounts, sessions and sign-outs', async () => {
    const first = clientOf(brokers[0]!);
    await first.signUp('shared');
    const twin = first.fork();
    twin.send = clientOf(brokers[1]!).send;
    expect(await twin.must(account.sessionRead)).toMatchObject({ account: first.account });
    await twin.must(account.sessionEnd);
    expect(await first.call(account.sessionRead)).toMatchObject({ code: 'session_missing' });
  });

  it('are ready, and end at SIGTERM with 0', async () => {
    const third = await startBrokerProcess(environmentOf(cloud));
    expect((await fetch(`${third.url}/readyz`)).status).toBe(200);
    expect(await third.stop()).toBe(0);
  });

  it('end with 0 though SIGTERM comes the moment that the address is told', async () => {
    const hasty = `const { stdout } = process; const write = stdout.write.bind(stdout);
      stdout.write = (text) => { write(text); if (text.includes('runs at')) process.kill(process.pid); };`;
    const { exited } = await runBroker({
      ...environmentOf(cloud),
      PORT: String(await freePort()),
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hasty)}`,
    });
    expect(await exited).toBe(0);
  });
});

describe('a broker refuses to start', () => {
  it('with another setup than the bucket was made with, and leaves its accounts as they are', async () => {
    const { state } = cloud.connect();
    const original = (await state.read(stateKeys.setup))!.bytes;
    const other = await startTestCloud();
    const made = await startBrokerProcess(environmentOf(other));
    await made.stop();
    const foreign = (await other.connect().state.read(stateKeys.setup))!.bytes;
    await state.erase(stateKeys.setup);
    await state.create(stateKeys.setup, foreign);
    const refused = await runBroker({ ...environmentOf(cloud), PORT: String(await freePort()) });
    expect(await refused.exited).toBe(1);
    expect(refused.output()).toMatch(/^halfkey: setup_mismatch: /);
    await state.erase(stateKeys.setup);
    await state.create(stateKeys.setup, original);
    const back = await startBrokerProcess(environmentOf(cloud));
    expect(await back.stop()).toBe(0);
    await other.end();
  });

  it('on a port that is taken', async () => {
    const { port } = new URL(brokers[0]!.url);
    const { exited, output } = await runBroker({ ...environmentOf(cloud), PORT: port });
    expect(await exited).toBe(1);
    expect(output()).toBe(
      `halfkey: port_taken: port ${port} is taken by another Halfkey (version 0.1.0): stop that one, or choose another port, as in PORT=${String(Number(port) + 10)} npm start\n`,
    );
  });
});

describe('a broker with a cloud of its own', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'takes it along when %s ends it, and finds everything again',
    async (signal) => {
      const folder = await mkdtemp(join(tmpdir(), 'halfkey-box-'));
      const PORT = String(await freePort());
      const cloudUrl = `http://127.0.0.1:${String(Number(PORT) + 1)}/`;
      const environment = { PORT, HALFKEY_DATA: join(folder, 'data') };
      const box = await startBrokerProcess(environment);
      const url = `http://localhost:${PORT}`;
      const client = new AccountClient((path, init) => fetch(`${url}${path}`, init), new TestClock());
      client.headers = { origin: url };
      await client.signUp('box');
      expect((await fetch(cloudUrl)).status).toBe(403);
      box.child.kill(signal);
      await until(() =>
        fetch(cloudUrl).then(
          () => false,
          () => true,
        ),
      );
      const again = await restart(environment);
      expect(await client.must(account.sessionRead)).toMatchObject({ account: client.account });
      expect(await again.stop()).toBe(0);
      await rm(folder, { recursive: true, force: true });
    },
  );
});

/** The old cloud gives its folder back a moment after its port; until then a new one refuses to start, and says so. */
async function restart(environment: Record<string, string>): Promise<BrokerProcess> {
  const started: BrokerProcess[] = [];
  await until(async () => {
    try {
      started.push(await startBrokerProcess(environment));
      return true;
    } catch (error) {
      if (error instanceof Error && error.message.includes('local_cloud_failed')) return false;
      throw error;
    }
  });
  return started[0]!;
}

describe('a second box on a data folder that is in use', () => {
  it('refuses to start, and leaves the first alone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'halfkey-box-'));
    const HALFKEY_DATA = join(folder, 'data');
    const first = await startBrokerProcess({ HALFKEY_DATA });
    const second = await runBroker({ HALFKEY_DATA, PORT: String(await freePort()) });
    expect(await second.exited).toBe(1);
    expect(second.output()).toBe(
      `halfkey: local_cloud_failed: the data folder ${HALFKEY_DATA} is in use by another Halfkey: stop that one, or choose another folder with HALFKEY_DATA\n`,
    );
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
    expect(await first.stop()).toBe(0);
    await rm(folder, { recursive: true, force: true });
  });
});
