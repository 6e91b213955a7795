import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import { AccountClient } from '../../support/account-client.ts';
import { TestClock } from '../../support/broker.ts';
import { type BrokerProcess, startBrokerProcess } from '../../support/broker-process.ts';
import type { SeenRequest } from '../../support/fault-proxy.ts';
import { row } from '../support/row.ts';
import type { Flow, Person } from './support/flow.ts';
import { checkEvents, FLOWS } from './support/flows.ts';
import { setUpHouse } from './support/house.ts';

const ORIGIN = 'http://localhost:8787';

const house = setUpHouse();
let steady: BrokerProcess;
/** Started in advance, because most of their life is the start. */
const spare: Promise<BrokerProcess>[] = [];

function startOne(): Promise<BrokerProcess> {
  const { endpoint } = house.proxy;
  const line = {
    ...house.cloud.cloud.description,
    s3Endpoint: endpoint,
    kmsEndpoint: endpoint,
    cognitoEndpoint: endpoint,
  };
  return startBrokerProcess({
    HALFKEY_LOCAL_CLOUD: JSON.stringify(line),
    HALFKEY_ORIGIN: ORIGIN,
    HALFKEY_RATE_PER_MINUTE: '1000000',
    LOG_LEVEL: 'silent',
  });
}

beforeAll(async () => {
  steady = await startOne();
  spare.push(startOne());
});
afterAll(async () => {
  for (const started of spare) await (await started).stop();
  await steady.stop();
});

async function takeSpare(): Promise<BrokerProcess> {
  const next = spare.shift() ?? startOne();
  const taken = await next;
  return taken;
}

/**
 * What changes something in S3, or brings something out of KMS or Cognito; not the start of another broker meanwhile.
 */
function isWrite({ method, path, target, body }: SeenRequest): boolean {
  if (path.includes('/broker/') || body.includes('"purpose":"setup"')) return false;
  return target !== '' || !['GET', 'HEAD'].includes(method);
}

function personAt(url: () => string): Person {
  const clock = new TestClock();
  const newClient = (): AccountClient =>
    new AccountClient(async (path, init) => {
      try {
        return await fetch(`${url()}${path}`, init);
      } catch {
        throw new Error('connection cut');
      }
    }, clock);
  const client = newClient();
  return {
    userName: `k-${randomBytes(8).toString('hex')}`,
    client,
    another: () => newClient().knows(client),
    pass: () => {
      throw new Error('these processes have the machine’s clock');
    },
  };
}

/** A flow whose broker is killed at its n-th write, before or after the effect. @returns how many writes it makes */
async function killAt(flow: Flow, at: number, when: 'before' | 'after' | 'never'): Promise<number> {
  let url = steady.url;
  const person = personAt(() => url);
  const prepared = await flow.prepare(person);
  // As cold as the ones that are killed, so that it makes the same requests.
  const doomed = await takeSpare();
  url = doomed.url;
  let writes = 0;
  let killed = false;
  house.proxy.fault = (request) => {
    if (killed) return undefined;
    if (isWrite(request) && writes++ === at && when !== 'never') {
      killed = true;
      doomed.child.kill('SIGKILL');
      return { kind: when === 'before' ? 'lost' : 'reply-lost' };
    }
    return undefined;
  };
  const outcome = await prepared.attempt().then(
    () => 'done',
    (error: unknown) => error,
  );
  const made = writes;
  if (when === 'never') {
    expect(outcome).toBe('done');
    spare.push(Promise.resolve(doomed));
  } else {
    expect([flow.name, at, killed]).toEqual([flow.name, at, true]);
    // Only now: the start of the next one is not a part of what is counted.
    house.proxy.fault = () => undefined;
    spare.push(startOne());
    expect(outcome).not.toBe('done');
    url = steady.url;
    let last: unknown = outcome;
    for (let tries = 0; tries < 3 && last !== 'done'; tries += 1) {
      last = await prepared.attempt().then(
        () => 'done',
        (error: unknown) => error,
      );
    }
    expect(last).toBe('done');
  }
  house.proxy.fault = () => undefined;
  await prepared.check();
  await checkEvents(person.client);
  return made;
}

row(
  'D7',
  {
    attack: 'a broker process is killed between any two of its writes',
    tried:
      'SIGKILL before and after each write of every flow (in short of three), then the flow is gone on with at another process',
  },
  async (t) => {
    const flows = t.full ? FLOWS : FLOWS.filter(({ name }) => ['append', 'code and grant'].includes(name));
    for (const flow of flows) {
      const writes = await killAt(flow, 0, 'never');
      expect(writes).toBeGreaterThan(0);
      for (let at = 0; at < writes; at += t.full ? 1 : 3) {
        for (const when of ['before', 'after'] as const) {
          await killAt(flow, at, when).catch((cause: unknown) => {
            throw new Error(`${flow.name}, killed ${when} write ${String(at)} of ${String(writes)}`, {
              cause,
            });
          });
          t.vary(1);
        }
      }
      t.held(`${flow.name}: ${String(writes)} writes`);
    }
  },
);
