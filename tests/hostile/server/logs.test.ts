import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import * as account from '$contract/accounts.ts';
import { PROBLEMS } from '$contract/problems.ts';
import * as contract from '$contract/vaults.ts';
import { loadSetup } from '../../../broker/domain/state/setup.ts';
import { AccountClient } from '../../support/account-client.ts';
import { TestClock } from '../../support/broker.ts';
import { type BrokerProcess, startBrokerProcess } from '../../support/broker-process.ts';
import { envelopeOf } from '../../support/vault-side.ts';
import { row } from '../support/row.ts';
import { newBlobId, setUpHouse } from './support/house.ts';
import { ROUTES, requestFor } from './support/requests.ts';

const ADDRESS = '203.0.113.77';
const AGENT = 'planted-user-agent';

const house = setUpHouse();
let broker: BrokerProcess;
/** Whatever must stand in no log, by what it is. */
const secrets: [string, string | Uint8Array][] = [];
let person: AccountClient;

/** A busy life of one account at a real process that logs all it can. */
async function liveBusily(): Promise<void> {
  const clock = new TestClock();
  person = new AccountClient(async (path, init) => {
    const response = await fetch(`${broker.url}${path}`, init);
    for (const line of response.headers.getSetCookie()) {
      const value = line.split(/[=;]/)[1] ?? '';
      if (value !== '') secrets.push(['cookie', value]);
    }
    return response;
  }, clock);
  person.headers = { 'user-agent': AGENT, 'x-forwarded-for': ADDRESS };
  const [userName, passphrase] = ['planted-user-name', 'planted passphrase'];
  const { grant } = await person.signUp(userName, passphrase);
  const code = await person.code(1);
  const blob = newBlobId();
  const order = { grant: grant.id, purpose: 'inbox', epoch: 0, blobs: [blob] };
  const [made] = (await person.must(contract.keysGenerate, order)).keys;
  if (!made) throw new Error('expected a half');
  const envelope = envelopeOf(Buffer.from(made.kmsBlob, 'base64url'), 0, 'inbox');
  await person.must(contract.envelopesWrite, { envelopes: [{ blob, envelope, proof: made.proof }] });
  await person.must(contract.keysRelease, { grant: grant.id, purpose: 'inbox', names: [{ blob, epoch: 0 }] });
  const { head } = await person.must(contract.logRead, { from: '0' });
  const segment = person.segmentAfter(head);
  await person.must(contract.logAppend, { segment });
  const body = randomBytes(64);
  const sha256 = Buffer.alloc(32, 9).toString('base64');
  const blobs = [{ blob, sizeBytes: body.length, sha256 }];
  const url = (await person.must(contract.blobPutUrls, { blobs })).urls[0]!.url;
  await person.call(account.grantBuy, { factor: { code } });
  await person.call(account.grantBuy, { factor: { code } });
  await person.call(account.grantBuy, { factor: { code: '000000' } });
  const backupCode = person.backupCodes[0] ?? '';
  await person.call(account.grantBuy, { factor: { backupCode } });
  await person.fork().provePassphrase(userName, 'planted wrong passphrase');
  await person.raw('GET', '/planted-path/planted-file-name.pdf?planted-query=1');
  await person.raw('POST', '/api/signin/start', '{"planted-broken-json');
  for (const route of ROUTES.filter(({ path }) => path !== '/api/session/end')) {
    await person
      .fork()
      .call(route, requestFor(route))
      .catch(() => undefined);
  }
  // And trouble, whose errors quote what they met.
  house.proxy.fault = () => ({ kind: 'lost' });
  await person.call(contract.logRead, { from: '0' });
  house.proxy.fault = () => ({
    kind: 'answer',
    status: 403,
    body: '<Error><Code>AccessDenied</Code><Message>planted-message</Message></Error>',
  });
  await person.call(contract.keysRelease, { grant: grant.id, purpose: 'file', names: [{ blob, epoch: 0 }] });
  house.proxy.fault = () => undefined;

  const query = new URL(url).searchParams;
  secrets.push(
    ['user name', userName],
    ['passphrase', passphrase],
    ['wrong passphrase', 'planted wrong passphrase'],
    ['authenticator secret', person.totpSecret],
    ['backup code', backupCode],
    ['KMS half', Buffer.from(made.kmsHalf, 'base64url')],
    ['KMS blob', Buffer.from(made.kmsBlob, 'base64url').subarray(-24)],
    ['segment', Buffer.from(segment, 'base64url').subarray(-32)],
    ['URL signature', query.get('X-Amz-Signature') ?? ''],
    ['session token', query.get('X-Amz-Security-Token') ?? ''],
    ['URL', 'X-Amz-'],
    ['user agent', AGENT],
    ['address', ADDRESS],
    ['path', 'planted-path'],
    ['file name', 'planted-file-name'],
    ['query', 'planted-query'],
    ['body', 'planted-broken-json'],
    ['message of an error', 'planted-message'],
    ['grant', grant.id],
    ['device', person.device.id],
  );
}

beforeAll(async () => {
  const { endpoint } = house.proxy;
  const { description } = house.cloud.cloud;
  const line = { ...description, s3Endpoint: endpoint, kmsEndpoint: endpoint, cognitoEndpoint: endpoint };
  broker = await startBrokerProcess({
    HALFKEY_LOCAL_CLOUD: JSON.stringify(line),
    HALFKEY_ORIGIN: 'http://localhost:8787',
    HALFKEY_RATE_PER_MINUTE: '1000000',
    LOG_LEVEL: 'trace',
  });
  await liveBusily();
  const { state, kms } = house.cloud.connect();
  const { setup } = await loadSetup(state, kms);
  secrets.push(
    ['OPAQUE setup', setup.opaqueServerSetup],
    ['name key', setup.nameKey],
    ['session key', setup.sessionKey],
    ['state key', setup.stateKey],
    ['MAC key', setup.macKey],
    ['broker’s secret key', description.brokerSecretAccessKey],
    ['administrator’s secret key', description.secretAccessKey],
  );
}, 120_000);
afterAll(async () => {
  await broker.stop();
});

/** The forms in which bytes or a text may have been written down. */
function formsOf(secret: string | Uint8Array): string[] {
  const bytes = typeof secret === 'string' ? Buffer.from(secret) : Buffer.from(secret);
  const hex = bytes.toString('hex');
  const forms = [
    hex,
    hex.toUpperCase(),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    [...bytes].join(','),
  ];
  if (typeof secret === 'string')
    forms.push(secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1));
  else forms.push([...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
  return [...new Set(forms)];
}

row(
  'B11',
  {
    attack: 'keys, codes, names or URLs in the logs',
    tried:
      'a busy life at a broker process with LOG_LEVEL=trace, faults included; each secret sought in hex, base64, base64url, text, percent and byte lists',
  },
  async (t) => {
    const log = broker.output();
    expect(log.split('\n').length).toBeGreaterThan(30);
    const told: string[] = [];
    for (const [name, secret] of secrets) {
      for (const form of formsOf(secret)) {
        if (form.length >= 6 && log.includes(form)) told.push(`${name}: ${form.slice(0, 20)}`);
        t.vary(1);
      }
    }
    expect(told).toEqual([]);
    // And the search finds what is there.
    expect(formsOf(person.account).some((form) => log.includes(form))).toBe(true);
    t.held(`${String(secrets.length)} secrets, none in the log`);
    return Promise.resolve();
  },
);

/** Everything that a line may say, and in which form. */
const FIELDS: Readonly<Record<string, RegExp>> = {
  level: /^(10|20|30|40|50|60)$/,
  time: /^\d{13}$/,
  requestId: /^[\w-]{8,64}$/,
  method: /^[A-Z]{1,10}$/,
  route: /^(other|page|asset|file|\/healthz|\/readyz|\/version|\/api\/[a-z/:-]+)$/,
  status: /^\d{3}$/,
  ms: /^\d+(\.\d)?$/,
  account: /^[\w-]{22}$/,
  problem: new RegExp(`^(${Object.keys(PROBLEMS).join('|')})$`),
  msg: new RegExp(`^(request|unexpected|sweep|${Object.keys(PROBLEMS).join('|')})$`),
};
const FAULT_FIELDS = new Set(['name', 'at', 'cause']);

row(
  'I4',
  {
    attack: 'a log that ties addresses, vaults or files to people',
    tried:
      'every line of the same busy run held against the list of fields and the form of each; addresses, vault and blob ids sought',
  },
  async (t) => {
    const lines = broker
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.length).toBeGreaterThan(30);
    const routes = new Set<unknown>();
    for (const { fault, ...line } of lines) {
      for (const [name, value] of Object.entries(line)) {
        expect([name, String(value)]).toEqual([
          name,
          expect.stringMatching(FIELDS[name] ?? /^no such field$/),
        ]);
      }
      checkFault(fault);
      routes.add(line['route']);
      t.vary(1);
    }
    expect(routes.size).toBeGreaterThan(20);
    const text = JSON.stringify(lines);
    expect(text).not.toContain(person.vault);
    expect(text).not.toMatch(/\b127\.0\.0\.1\b|::1|\b203\.0\.113\./);
    expect(text).not.toContain(AGENT);
    t.held(
      'no address, vault, blob, device, name or user agent; the account’s random id is all that names anybody',
    );
    return Promise.resolve();
  },
);

/** An error's name and places; never its message. */
function checkFault(fault: unknown): void {
  if (fault === undefined) return;
  const { name, at, cause } = fault as { name: string; at: string[]; cause?: unknown };
  expect(Object.keys(fault as object).filter((field) => !FAULT_FIELDS.has(field))).toEqual([]);
  expect(name).toMatch(/^[A-Za-z]\w{0,60}$/);
  for (const place of at) expect(place).toMatch(/^at [\w.<>[\] #$/:()@+-]+$/);
  checkFault(cause);
}
