import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { AccountClient } from '../../support/account-client.ts';
import type { TestBroker } from '../../support/broker.ts';
import type { Fault } from '../../support/fault-proxy.ts';
import { row } from '../support/row.ts';
import type { Flow, Person } from './support/flow.ts';
import { checkEvents, FLOWS, SLOW_FLOWS } from './support/flows.ts';
import { setUpHouse } from './support/house.ts';

const house = setUpHouse();

/**
 * What goes wrong from a certain request on. The last two are a broker that ends there, before or after the request's
 * effect.
 */
const TROUBLES = {
  'the request is lost': { kind: 'lost', once: true },
  'the reply is lost': { kind: 'reply-lost', once: true },
  'nothing gets through from there on': { kind: 'lost', once: false },
  'nothing is heard from there on': { kind: 'reply-lost', once: false },
} as const satisfies Record<string, { kind: Fault['kind']; once: boolean }>;
type Trouble = (typeof TROUBLES)[keyof typeof TROUBLES];

const MAX_ATTEMPTS = 4;

function personAt(broker: () => TestBroker): Person {
  const newClient = (): AccountClient => {
    const client = house.clientOf(broker());
    client.send = (path, init) => broker().app.request(path, init);
    return client;
  };
  const client = newClient();
  return {
    userName: `p-${randomBytes(8).toString('hex')}`,
    client,
    another: () => newClient().knows(client),
    pass: (seconds) => {
      house.clock.advance(seconds);
    },
  };
}

/** Runs a flow with trouble at its n-th request to the cloud. @returns how many requests the first attempt made */
async function runThrough(flow: Flow, trouble: Trouble | undefined, at: number): Promise<number> {
  let broker = await house.newBroker();
  const move = async (): Promise<void> => {
    house.dismiss(broker); // Else its sweeps would come on top of the requests that are counted.
    broker = await house.newBroker();
  };
  const person = personAt(() => broker);
  const prepared = await flow.prepare(person);
  let nth = 0;
  house.proxy.fault = () => {
    const here = trouble !== undefined && (trouble.once ? nth === at : nth >= at);
    nth += 1;
    return here ? { kind: trouble.kind } : undefined;
  };
  let outcome: unknown = 'not tried';
  let requests = 0;
  for (let attempt = 0; attempt < MAX_ATTEMPTS && outcome !== 'done'; attempt += 1) {
    outcome = await prepared.attempt().then(
      () => 'done',
      (error: unknown) => error,
    );
    if (attempt === 0) requests = nth;
    if (outcome === 'done') break;
    // Anyone who was in trouble is gone; another broker, with an empty memory, takes the next attempt.
    house.proxy.fault = () => undefined;
    await move();
  }
  house.proxy.fault = () => undefined;
  expect(outcome).toBe('done');
  await move();
  await prepared.check();
  await checkEvents(person.client);
  house.dismiss(broker);
  return requests;
}

for (const [index, flow] of [...FLOWS, ...SLOW_FLOWS].entries()) {
  row(
    'D1',
    {
      attack:
        'any request of a flow of the broker goes wrong, to S3, KMS or Cognito, or the broker ends there',
      within: flow.name,
      tried: `${Object.keys(TROUBLES).join('; ')}: at every index (in short two, at one each), then the flow is gone on with at another broker`,
    },
    async (t) => {
      const requests = await runThrough(flow, undefined, 0);
      expect(requests).toBeGreaterThan(1);
      for (const [place, [name, trouble]] of Object.entries(TROUBLES).entries()) {
        if (!t.full && (index + place) % 2 === 1) continue;
        const indices = t.full
          ? Array.from({ length: requests }, (_, at) => at)
          : [(index * 7 + place * 5) % requests];
        for (const at of indices) {
          await runThrough(flow, trouble, at).catch((cause: unknown) => {
            throw new Error(`${flow.name}, request ${String(at)} of ${String(requests)}: ${name}`, { cause });
          });
          t.vary(1);
        }
      }
      t.held(`it ends as if nothing had happened: ${String(requests)} requests each`);
    },
  );
}
