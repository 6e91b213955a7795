import { afterEach } from 'vitest';
import { connectCloud, type CloudPorts } from '../../../../broker/aws/broker-clients.ts';
import { localCloud } from '../../../../broker/entry/settings.ts';
import { AccountClient } from '../../../support/account-client.ts';
import {
  startTestBroker,
  startTestCloud,
  type TestBroker,
  type TestBrokerOptions,
  TestClock,
  type TestCloud,
} from '../../../support/broker.ts';
import { type FaultProxy, startFaultProxy } from '../../../support/fault-proxy.ts';
import { setUp } from '../../../support/fixture.ts';

/** A local cloud, a proxy in front of it at which anything may go wrong, and as many brokers as a row wants. */
export interface House {
  readonly cloud: TestCloud;
  readonly clock: TestClock;
  readonly proxy: FaultProxy;
  /** Ports of their own, through the proxy. */
  connect(): CloudPorts;
  /** One broker more in this process: it shares connections with the others, and no memory. */
  newBroker(options?: TestBrokerOptions): Promise<TestBroker>;
  /** Ends a broker that is not needed any more. */
  dismiss(broker: TestBroker): void;
  /** A browser that asks this broker. */
  clientOf(broker: TestBroker): AccountClient;
  end(): Promise<void>;
}

/** A house for the test file that calls this; nothing goes wrong in it at the start of a test. */
export function setUpHouse(): House {
  const house = setUp(openHouse, (opened) => opened.end());
  afterEach(() => {
    house.proxy.fault = () => undefined;
  });
  return house;
}

async function openHouse(): Promise<House> {
  const cloud = await startTestCloud();
  const clock = new TestClock();
  const proxy = await startFaultProxy(cloud.cloud.endpoint);
  const connected: CloudPorts[] = [];
  const brokers = new Set<TestBroker>();
  let shared: CloudPorts | undefined;
  const house: House = {
    cloud,
    clock,
    proxy,
    connect() {
      const { endpoint } = proxy;
      const place = { ...localCloud(cloud.cloud.description), s3PublicUrl: undefined };
      const ports = connectCloud({
        ...place,
        s3Endpoint: endpoint,
        kmsEndpoint: endpoint,
        cognitoEndpoint: endpoint,
      });
      connected.push(ports);
      return ports;
    },
    async newBroker(options = {}) {
      const ports = (shared ??= house.connect());
      const broker = await startTestBroker({ ...cloud, connect: () => ports }, clock, options);
      brokers.add(broker);
      return broker;
    },
    dismiss(broker) {
      broker.app.close();
      brokers.delete(broker);
    },
    clientOf: (broker) => new AccountClient((path, init) => broker.app.request(path, init), clock),
    async end() {
      for (const broker of brokers) broker.app.close();
      for (const ports of connected) ports.close();
      await proxy.close();
      await cloud.end();
    },
  };
  return house;
}

/** Signs somebody up and answers their browser. */
export async function newcomer(house: House, broker: TestBroker, userName: string): Promise<AccountClient> {
  const client = house.clientOf(broker);
  await client.signUp(userName);
  return client;
}

/** Of the browser's grant: a code not shown yet, and what it buys. */
export async function buyGrant(client: AccountClient, releases?: number): Promise<string> {
  const { grantBuy } = await import('$contract/accounts.ts');
  const request = { factor: await client.nextCode(), ...(releases !== undefined && { releases }) };
  return (await client.must(grantBuy, request)).id;
}

/** 128 random bits as the contract writes ids. */
export { newBlobId } from '../../../support/vault-side.ts';
