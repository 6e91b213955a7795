import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Head } from '$contract/accounts.ts';
import { VAULT_EVENTS_PATH } from '$contract/vault-events.ts';
import { logAppend, logRead } from '$contract/vault-log.ts';
import { AccountClient } from '../support/account-client.ts';
import { ORIGIN, TestClock } from '../support/broker.ts';
import { built } from '../support/built.ts';
import { freePort } from '../support/free-port.ts';

/** Starts a bundle and waits for its first line. */
async function start(
  bundle: string,
  args: readonly string[],
  environment: Record<string, string>,
): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(process.execPath, [join(await built('broker'), 'dist', bundle), ...args], {
    env: { ...process.env, LOG_LEVEL: 'silent', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => [undefined])])) as [
    string | undefined,
  ];
  if (line === undefined) throw new Error(`expected ${bundle} to start, it ended`);
  return { child, line };
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child?.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

describe('two broker processes on one bucket', () => {
  let dataFolder: string;
  let cloudLine: string;
  const children: ChildProcess[] = [];
  const origins: string[] = [];
  let clients: AccountClient[];
  let grant: string;

  async function startBroker(): Promise<{ child: ChildProcess; origin: string }> {
    const port = await freePort();
    const { child } = await start('broker.js', [], {
      PORT: String(port),
      HALFKEY_ORIGIN: ORIGIN,
      HALFKEY_LOCAL_CLOUD: cloudLine,
    });
    children.push(child);
    return { child, origin: `http://localhost:${String(port)}` };
  }

  beforeAll(async () => {
    dataFolder = await mkdtemp(join(tmpdir(), 'halfkey-processes-'));
    const cloud = await start(
      'local-cloud.js',
      ['--data', dataFolder, '--port', '0', '--origin', ORIGIN],
      {},
    );
    children.push(cloud.child);
    cloudLine = cloud.line;
    for (const { origin } of await Promise.all([startBroker(), startBroker()])) origins.push(origin);
    const first = new AccountClient(
      (path, init) => fetch(`${origins[0] ?? ''}${path}`, init),
      new TestClock(),
    );
    grant = (await first.signUp('ada', 'correct horse battery staple')).grant.id;
    const second = first.fork();
    second.send = (path, init) => fetch(`${origins[1] ?? ''}${path}`, init);
    clients = [first, second];
  });
  afterAll(async () => {
    for (const child of children.reverse()) await stop(child);
    await rm(dataFolder, { recursive: true, force: true });
  });

  // With a grant, so that one device may write as fast as it goes.
  const appendBy = (client: AccountClient, segment: string) => client.call(logAppend, { segment, grant });
  const headOf = async (client: AccountClient): Promise<Head> =>
    (await client.must(logRead, { from: '0' })).head;

  it('write each journal place once, whoever asks for it at the same moment', async () => {
    for (let round = 0; round < 15; round += 1) {
      const [first] = clients;
      if (!first) throw new Error('expected two clients');
      const head = await headOf(first);
      const replies = await Promise.all(
        Array.from({ length: 6 }, (_none, index) =>
          appendBy(clients[index % 2] ?? first, first.segmentAfter(head)),
        ),
      );
      expect(replies.filter(({ ok }) => ok)).toHaveLength(1);
      expect(new Set(replies.map(({ code }) => code))).toEqual(new Set([undefined, 'head_changed']));
      for (const client of clients) expect((await headOf(client)).seq).toBe(head.seq + 1);
    }
  });

  it('end when they are asked to, although a device listens and keeps its line', async () => {
    const [person] = clients;
    if (!person) throw new Error('expected two clients');
    const { child, origin } = await startBroker();
    const device = person.fork();
    // As browsers do, and not fetch of Node, it keeps the line after the answer has ended.
    const agent = new Agent({ keepAlive: true });
    device.send = async (path, init) => {
      const headers = Object.fromEntries(new Headers(init.headers));
      const [reply] = (await once(get(origin + path, { agent, headers }), 'response')) as [IncomingMessage];
      return new Response(Readable.toWeb(reply) as ReadableStream, { status: reply.statusCode ?? 0 });
    };
    const path = VAULT_EVENTS_PATH.replace(':vault', encodeURIComponent(device.vault));
    const events = await device.raw('GET', path);
    expect(events.status).toBe(200);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await events.text(); // To its end, which is no cut.
    expect(await exited).toEqual([0, null]);
    agent.destroy();
  }, 20_000);

  it('lose no acknowledged segment when one of them is killed among its writes', async () => {
    const [survivor] = clients;
    if (!survivor) throw new Error('expected two clients');
    for (let round = 0; round < 5; round += 1) {
      const doomed = await startBroker();
      const client = survivor.fork();
      client.send = (path, init) => fetch(doomed.origin + path, init);
      const acknowledged: string[] = [];
      const writing = (async () => {
        for (let head = await headOf(client); ;) {
          const segment = client.segmentAfter(head);
          const reply = await appendBy(client, segment);
          if (!reply.ok) throw new Error(reply.code);
          acknowledged.push(segment);
          head = reply.answer;
        }
      })().catch(() => undefined);
      await expect.poll(() => acknowledged.length, { interval: 1, timeout: 30_000 }).toBeGreaterThan(round);
      await stop(doomed.child);
      await writing;

      const head = await headOf(survivor);
      const segments: string[] = [];
      while (segments.length <= head.seq) {
        segments.push(...(await survivor.must(logRead, { from: String(segments.length) })).segments);
      }
      expect(acknowledged.filter((segment) => !segments.includes(segment))).toEqual([]);
      expect((await appendBy(survivor, survivor.segmentAfter(head))).ok).toBe(true);
    }
  });
});
