import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { FromWorker, ToWorker } from '../../src/lib/protocol/commands.ts';
import { serve } from '../../src/lib/worker/serve.ts';
import type { Handlers } from '../../src/lib/worker/wiring.ts';
import { until } from '../support/until.ts';

let said: [FromWorker, Transferable[] | undefined][];
let consoled: unknown[][];

beforeEach(() => {
  [said, consoled] = [[], []];
  vi.spyOn(console, 'error').mockImplementation((...args) => void consoled.push(args));
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Has a command answered by this. */
async function ask(handler: (args: unknown) => unknown, args: unknown = {}): Promise<void> {
  const handlers = { lock: handler } as unknown as Handlers;
  const listen = serve(handlers, (message, transfer) => said.push([message, transfer]));
  listen({ data: { id: 7, command: 'lock', args } as ToWorker } as MessageEvent<ToWorker>);
  await until(() => said.length > 0);
}

describe('a command', () => {
  it('is answered with its result, under its number', async () => {
    await ask((args) => Promise.resolve({ told: args }), { a: 1 });
    expect(said).toEqual([[{ kind: 'answer', id: 7, result: { told: { a: 1 } } }, []]]);
  });

  it('is answered with what explains its failure, and the console says nothing of what is meant to be', async () => {
    await ask(() => {
      throw new HalfkeyError('too_many_requests', 'x', { detail: { retryAfterSeconds: 7 } });
    });
    expect(said[0]?.[0]).toEqual({
      ...{ kind: 'failure', id: 7 },
      failure: { code: 'too_many_requests', detail: { retryAfterSeconds: 7 } },
    });
    expect(consoled).toEqual([]);
  });

  it('that breaks is answered as internal, and its error’s message goes nowhere: it may quote a value', async () => {
    await ask(() => Promise.reject(new TypeError('cannot read tax.pdf')));
    expect(said[0]?.[0]).toEqual({ kind: 'failure', id: 7, failure: { code: 'internal', detail: {} } });
    expect(consoled).toEqual([['lock failed: TypeError']]);
  });

  it('that nobody answers is answered as internal', async () => {
    await ask(undefined as never);
    expect(said[0]?.[0]).toMatchObject({ kind: 'failure', failure: { code: 'internal' } });
  });

  it('that answers a stream hands its port over, and no other answer anything', async () => {
    const { port1, port2 } = new MessageChannel();
    await ask(() => ({ port: port2, transfer: 't' }));
    expect(said[0]?.[1]).toEqual([port2]);
    for (const port of [port1, port2]) port.close();
    said = [];
    await ask(() => ({ port: 8787 }));
    expect(said[0]?.[1]).toEqual([]);
  });
});
