import { AccountClient } from './account-client.ts';
import {
  startTestBroker,
  startTestCloud,
  type TestBroker,
  type TestBrokerOptions,
  TestClock,
  type TestCloud,
} from './broker.ts';
import { setUp } from './fixture.ts';

type OptionsOf = (cloud: TestCloud) => TestBrokerOptions | Promise<TestBrokerOptions>;

/** A cloud for the test file that calls this, one broker on it, and browsers that ask it. */
export function setUpBroker(optionsOf?: OptionsOf) {
  const { brokers, ...rest } = setUpBrokers(1, optionsOf);
  return { ...rest, broker: brokers[0] };
}

/** The same with several brokers: each request of a browser goes to another one than the request before. */
export function setUpBrokers(count: number, optionsOf: OptionsOf = () => ({})) {
  const clock = new TestClock();
  const cloud = setUp(startTestCloud, (started) => started.end());
  const newBroker = (): TestBroker =>
    setUp(
      async () => startTestBroker(cloud, clock, await optionsOf(cloud)),
      ({ app }) => {
        app.close();
      },
    );
  const first = newBroker();
  const brokers = [first, ...Array.from({ length: count - 1 }, newBroker)] as const;
  let turn = 0;
  return {
    cloud,
    clock,
    brokers,
    newClient: (): AccountClient =>
      new AccountClient((path, init) => {
        turn = (turn + 1) % count;
        return (brokers[turn] ?? first).app.request(path, init);
      }, clock),
  };
}
