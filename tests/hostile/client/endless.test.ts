import type { ServerResponse } from 'node:http';
import { createGzip, gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { VaultId } from '$contract/ids.ts';
import { sessionRead } from '$contract/accounts.ts';
import { connectBroker } from '../../../src/lib/remote/broker.ts';
import { getRange, getWhole } from '../../../src/lib/remote/s3.ts';
import { SessionProver } from '../../../src/lib/remote/session-proof.ts';
import { listInbox } from '../../../src/lib/vault/inbox-listing.ts';
import { AnsweringServer } from '../../support/answering-server.ts';
import { row } from '../support/row.ts';

const MIB = 1024 * 1024;
const VAULT = 'us-east-1:00000000-0000-4000-8000-000000000000' as VaultId;
const server = new AnsweringServer();
let takenBytes = 0;

/** Sends as much as is taken, up to 200 MB; compressed, each byte of it is a thousand. */
function flood(response: ServerResponse, isCompressed: boolean): void {
  takenBytes = 0;
  response.writeHead(200, isCompressed ? { 'content-encoding': 'gzip' } : {});
  const chunk = Buffer.alloc(64 * 1024, ' ');
  const gzip = isCompressed ? createGzip() : undefined;
  gzip?.pipe(response);
  const send = (): void => {
    if (response.destroyed || takenBytes > 200 * MIB) return;
    takenBytes += chunk.length;
    (gzip ?? response).write(chunk, send);
  };
  send();
}

row(
  'J15',
  {
    attack: 'an answer that never ends',
    tried:
      'of the broker, of the store to a range and to a whole object: bytes without end, as they are and compressed, and few that unpack to many; a listing of the inbox that goes on for ever, goes back, or says the same again',
  },
  async (t) => {
    const broker = connectBroker(server.origin, new SessionProver(() => Promise.resolve(undefined)));
    const { signal } = new AbortController();
    const asks: [string, () => Promise<unknown>][] = [
      ['broker_unreachable', () => broker.call(sessionRead, {})],
      ['store_unreachable', () => getRange(`${server.origin}/blob`, { fromByte: 0, untilByte: 10 }, signal)],
      ['input_too_large', () => getWhole(`${server.origin}/page`, 10)],
    ];
    for (const isCompressed of [false, true]) {
      for (const [code, ask] of asks) {
        server.answer = (response) => {
          flood(response, isCompressed);
        };
        await t.refuses(ask(), code);
        await server.closed;
        // Before it was compressed: what fills a connection's buffers is a thousand times as much then.
        expect(takenBytes).toBeLessThan(isCompressed ? 150 * MIB : 32 * MIB);
      }
    }
    // A few bytes that unpack to far more than was asked for, with their right length.
    server.answer = (response) => {
      const packed = gzipSync(Buffer.alloc(8 * MIB));
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length });
      response.end(packed);
    };
    await t.refuses(getWhole(`${server.origin}/page`, MIB), 'input_too_large');
    const listings: { first: (asked: number) => number; mostAsked: number }[] = [
      { first: (asked) => asked, mostAsked: 101 },
      { first: (asked) => 10_000 - asked, mostAsked: 2 },
      { first: () => 1, mostAsked: 2 },
    ];
    for (const { first, mostAsked } of listings) {
      let asked = 0;
      server.answer = (response) => {
        asked += 1;
        const at = 1000 * first(asked);
        const names = Array.from({ length: 1000 }, (_, index) => ({
          device: 'A'.repeat(22),
          blob: `${String(at + index).padStart(21, '0')}A`,
          tag: '"1"',
          atMs: 1,
        }));
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ names, more: true }));
      };
      await t.refuses(listInbox({ broker, vault: VAULT }, signal), 'broker_unreachable');
      expect(asked).toBeLessThanOrEqual(mostAsked);
    }
  },
);
