import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { VaultId } from '$contract/ids.ts';
import { connectBroker } from '../../src/lib/remote/broker.ts';
import { SessionProver } from '../../src/lib/remote/session-proof.ts';
import { EventStreamParser } from '../../src/lib/remote/event-stream.ts';
import { askHead, readHeads, SILENT_MS, type HeadNews } from '../../src/lib/remote/heads.ts';
import { AnsweringServer } from '../support/answering-server.ts';

const prover = new SessionProver(() => Promise.resolve(undefined));
const VAULT = 'eu-central-1:00000000-0000-4000-8000-000000000000' as VaultId;
const HEAD = { seq: 7, hash: 'A'.repeat(43) };
const server = new AnsweringServer();

afterEach(() => {
  vi.useRealTimers();
});

/** What a stream tells before it ends, and what it ends in. */
async function listen(signal = new AbortController().signal) {
  const news: HeadNews[] = [];
  const end = await readHeads(
    { origin: server.origin, prover },
    VAULT,
    (each) => news.push(each),
    signal,
  ).catch((error: unknown) => error);
  return { news, end };
}

describe('a stream of news', () => {
  it('tells of heads and of the inbox, however it is cut to pieces, until it ends', async () => {
    const text = `: hello\n\nevent: head\ndata: ${JSON.stringify(HEAD)}\n\nevent: inbox\ndata: -\n\nevent: other\ndata: 1\n\n`;
    server.answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const character of text) response.write(character);
      response.end();
    };
    const { news, end } = await listen();
    expect(news).toEqual([{ kind: 'head', head: HEAD }, { kind: 'inbox' }]);
    expect(end).toMatchObject({ code: 'broker_unreachable' });
  });

  it.each([
    [401, 'broker_unreachable'],
    [429, 'too_many_requests'],
    [204, 'broker_unreachable'],
  ])('that is answered with %d is none', async (status, code) => {
    server.answer = (response) => response.writeHead(status).end();
    expect((await listen()).end).toMatchObject({ code });
  });

  it.each([
    ['a line without an end', 'x'.repeat(64 * 1024)],
    ['an event without an end', 'data: x\n'.repeat(64 * 1024)],
  ])('that is %s is left', async (_what, text) => {
    server.answer = (response) => void response.writeHead(200).write(text);
    expect((await listen()).end).toMatchObject({ code: 'broker_unreachable' });
    await server.closed;
  });

  it('that says a head that is none tells nothing of it', async () => {
    server.answer = (response) => response.end('event: head\ndata: {"seq":-1}\n\nevent: head\ndata: {\n\n');
    expect((await listen()).news).toEqual([]);
  });

  it.each([
    ['after its beginning', (response: ServerResponse) => void response.writeHead(200).write(':\n\n')],
    ['from the start', () => undefined],
  ])('that is silent %s is left after 45 s', async (_when, silence) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    server.answer = silence;
    const listening = listen();
    await server.asked;
    for (let step = 0; step < 20; step += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(SILENT_MS / 10);
    }
    expect((await listening).end).toMatchObject({ code: 'broker_unreachable' });
    await server.closed;
  });

  it('ends with its reader', async () => {
    const controller = new AbortController();
    server.answer = (response) => void response.writeHead(200).write(':\n\n');
    const listening = listen(controller.signal);
    await server.asked;
    controller.abort();
    expect((await listening).end).toMatchObject({ name: 'AbortError' });
    await server.closed;
  });
});

describe('asking for the newest head', () => {
  const ask = () => askHead(connectBroker(server.origin, prover), VAULT, 6);

  it('says what is known, and is told what is newer', async () => {
    server.answer = (response) => response.writeHead(200).end(JSON.stringify(HEAD));
    expect(await ask()).toEqual(HEAD);
    expect(server.paths).toEqual([`/api/vaults/${encodeURIComponent(VAULT)}/head?known=6`]);
  });

  it('is told nothing where nothing is', async () => {
    server.answer = (response) => response.writeHead(204).end();
    expect(await ask()).toBeUndefined();
  });

  it('refuses what is no head', async () => {
    server.answer = (response) => response.writeHead(200).end('{"seq":"7"}');
    await expect(ask()).rejects.toMatchObject({ code: 'broker_unreachable' });
  });
});

describe('events', () => {
  const parse = (text: string) => new EventStreamParser().push(new TextEncoder().encode(text));

  it.each([
    ['data: a\n\n', [{ name: '', data: 'a' }]],
    ['event: e\r\ndata:a\r\ndata: b\r\n\r\n', [{ name: 'e', data: 'a\nb' }]],
    ['event: e\n\n', []],
    [': comment\n\n', []],
    ['data: a\n', []],
    ['event: e\n\ndata: a\n\n', [{ name: '', data: 'a' }]],
    ['id: 1\nretry: 5\nevent\ndata\n\n', [{ name: '', data: '' }]],
  ])('are read as the standard says: %j', (text, events) => {
    expect(parse(text)).toEqual(events);
  });
});
