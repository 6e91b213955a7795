import { expect } from 'vitest';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { BrokerProblem } from '../../../broker/domain/problem.ts';
import { loadSetup } from '../../../broker/domain/state/setup.ts';
import { StartRefused } from '../../../broker/domain/start-refused.ts';
import { stateKeys } from '../../../broker/domain/state/state-keys.ts';
import { runBroker } from '../../support/broker-process.ts';
import { freePort } from '../../support/free-port.ts';
import { startTestCloud } from '../../support/broker.ts';
import { row } from '../support/row.ts';
import { newcomer, setUpHouse } from './support/house.ts';

const house = setUpHouse();

/** What a start ends in: `started`, or the code of the refusal. */
async function startOf(state: Parameters<typeof loadSetup>[0]): Promise<string> {
  try {
    const { kms, versions } = house.cloud.connect();
    await loadSetup(state, kms, versions);
    return 'started';
  } catch (error) {
    if (error instanceof StartRefused || error instanceof BrokerProblem) return error.code;
    throw error;
  }
}

row(
  'F11',
  {
    attack: 'a broker with a setup that is lost, foreign or damaged',
    tried:
      'setup and canary absent, one or both, swapped with another bucket’s, sealed by its key or by this one’s, and with a byte changed; every object compared after',
  },
  async (t) => {
    const broker = await house.newBroker();
    const client = await newcomer(house, broker, 'before-the-loss');
    const { state } = house.cloud.connect();
    const other = await startTestCloud();
    await loadSetup(other.connect().state, other.connect().kms);
    const objects = async () => {
      const { description } = house.cloud.cloud;
      const s3 = new S3Client({
        region: description.region,
        endpoint: description.s3Endpoint,
        forcePathStyle: true,
        credentials: description,
      });
      const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: description.bucket }));
      s3.destroy();
      return Contents?.map(({ Key, ETag }) => `${Key ?? ''} ${ETag ?? ''}`).filter(
        (line) => !line.startsWith('broker/'),
      );
    };
    const before = await objects();
    expect(before?.length).toBeGreaterThan(3);

    for (const key of [stateKeys.setup, stateKeys.canary]) {
      const original = await state.read(key);
      const foreign = await other.connect().state.read(key);
      if (!original || !foreign) throw new Error('expected setup and canary');
      const put = async (bytes: Uint8Array | undefined) => {
        await state.erase(key);
        if (bytes) await state.create(key, bytes);
      };
      const step = t.full ? 1 : Math.ceil(original.bytes.length / 40);
      const damaged = Array.from({ length: Math.ceil(original.bytes.length / step) }, (_, index) => {
        const bytes = Uint8Array.from(original.bytes);
        bytes[index * step] = (bytes[index * step] ?? 0) ^ 1;
        return bytes;
      });
      for (const bytes of [
        undefined,
        foreign.bytes,
        new Uint8Array(),
        original.bytes.slice(0, -1),
        ...damaged,
      ]) {
        await put(bytes);
        const outcome = await startOf(state);
        // A setup whose canary is gone is the right one all the same: a broker may have ended between the two writes.
        if (key === stateKeys.canary && bytes === undefined) expect(outcome).toBe('started');
        else {
          expect([key, outcome]).toEqual([key, expect.stringMatching(/^setup_(mismatch|lost)$/)]);
          t.refused(outcome);
        }
        t.vary(1);
      }
      await put(original.bytes);
      expect(await startOf(state)).toBe('started');
    }
    // Another bucket's setup, sealed with this one's KMS key.
    const [mine, theirs] = [house.cloud.connect(), other.connect()];
    const context = { app: 'halfkey', purpose: 'setup' };
    const [own, foreign] = [await state.read(stateKeys.setup), await theirs.state.read(stateKeys.setup)];
    if (!own || !foreign) throw new Error('expected two setups');
    const opened = await theirs.kms.decrypt(foreign.bytes, context);
    await state.erase(stateKeys.setup);
    await state.create(stateKeys.setup, await mine.kms.encrypt(opened, context));
    expect(await startOf(state)).toBe('setup_mismatch');
    t.refused('setup_mismatch');
    t.vary(1);
    await state.erase(stateKeys.setup);
    await state.create(stateKeys.setup, own.bytes);
    expect(await startOf(state)).toBe('started');
    // Both gone, as a lifecycle rule on broker/ would have it: no new setup is made where there are accounts.
    const both = await Promise.all([stateKeys.setup, stateKeys.canary].map((key) => state.read(key)));
    for (const key of [stateKeys.setup, stateKeys.canary]) await state.erase(key);
    expect(await startOf(state)).toBe('setup_lost');
    t.refused('setup_lost');
    t.vary(1);
    expect(await state.read(stateKeys.setup)).toBeUndefined();
    await state.create(stateKeys.setup, both[0]?.bytes ?? new Uint8Array());
    await state.create(stateKeys.canary, both[1]?.bytes ?? new Uint8Array());
    expect(await objects()).toEqual(before);
    await client.signIn('before-the-loss');
    await other.end();
    t.held('accounts are as they were, and open under the right setup');
  },
);

const AWS = {
  HALFKEY_BUCKET: 'bucket',
  AWS_REGION: 'eu-central-1',
  HALFKEY_KMS_KEY: 'key',
  HALFKEY_IDENTITY_POOL: 'eu-central-1:pool',
  HALFKEY_ORIGIN: 'https://drive.example',
  HALFKEY_PROXIES: '1',
} as const;

row(
  'F17',
  {
    attack: 'a setting that is missing, empty or wrong',
    tried:
      'each required variable unset and empty, others set alone, values that loosen; the process has to end with a refusal',
  },
  async (t) => {
    const names = Object.keys(AWS) as (keyof typeof AWS)[];
    const cases: [string, Record<string, string>][] = [
      ...names.flatMap((name): [string, Record<string, string>][] => {
        const rest = Object.fromEntries(Object.entries(AWS).filter(([other]) => other !== name));
        return [
          [name, rest],
          [name, { ...AWS, [name]: '' }],
        ];
      }),
      ...['HALFKEY_KMS_KEY', 'HALFKEY_IDENTITY_POOL', 'HALFKEY_S3_ENDPOINT'].map(
        (name): [string, Record<string, string>] => ['HALFKEY_BUCKET', { [name]: 'https://x.example' }],
      ),
      ['HALFKEY_LOCAL_CLOUD', { HALFKEY_LOCAL_CLOUD: '' }],
      ['HALFKEY_LOCAL_CLOUD', { HALFKEY_LOCAL_CLOUD: '{}' }],
      ['HALFKEY_DATA', { HALFKEY_DATA: '' }],
      ['HALFKEY_ORIGIN', { ...AWS, HALFKEY_ORIGIN: 'http://drive.example' }],
      ['HALFKEY_ORIGIN', { ...AWS, HALFKEY_ORIGIN: '*' }],
      ['HALFKEY_SIGNUP', { ...AWS, HALFKEY_SIGNUP: '' }],
      ['HALFKEY_GRANT_RELEASES', { ...AWS, HALFKEY_GRANT_RELEASES: '1001' }],
      ['HALFKEY_GRANT_SECONDS', { ...AWS, HALFKEY_GRANT_SECONDS: '301' }],
      ['HALFKEY_RATE_PER_MINUTE', { ...AWS, HALFKEY_RATE_PER_MINUTE: '0' }],
      ['HALFKEY_PROXIES', { ...AWS, HALFKEY_PROXIES: '-1' }],
      ['HALFKEY_HOST', { ...AWS, HALFKEY_HOST: 'everywhere' }],
    ];
    const PORT = String(await freePort());
    const chosen = t.full ? cases : cases.filter((_, index) => index % 3 === 0);
    const waiting = [...chosen];
    const workers = Array.from({ length: 3 }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [name, environment] = next;
        const { exited, output } = await runBroker({ PORT, ...environment });
        expect([name, environment, await exited]).toEqual([name, environment, 1]);
        // Without its bucket, AWS's other variables are told of as a bucket that is missing.
        expect(output()).toMatch(/^halfkey: settings_invalid: /);
        expect(output()).toMatch(new RegExp(`\\b${name}(\\.\\w+)?: `));
        expect(output()).not.toMatch(/ {4}at |drive\.example/);
        t.vary(1);
        t.refused('settings_invalid');
      }
    });
    await Promise.all(workers);
  },
);
