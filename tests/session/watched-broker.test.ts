import { beforeEach, describe, expect, it } from 'vitest';
import { sessionRead } from '$contract/accounts.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { Broker } from '../../src/lib/remote/broker.ts';
import { watchBroker } from '../../src/lib/session/watched-broker.ts';

let heard: string[];
let asked: unknown[];
let answer: () => Promise<unknown>;
let watched: Broker;

beforeEach(() => {
  [heard, asked] = [[], []];
  const broker = {
    call: (...args: unknown[]) => {
      asked.push(args);
      return answer();
    },
  } as unknown as Broker;
  watched = watchBroker(broker, {
    answered: () => heard.push('answered'),
    refused: (code) => heard.push(code),
    making: (count) => heard.push(`making ${String(count)}`),
  });
});

describe('a request to a broker that is watched', () => {
  it('goes through as it is, and so does its answer', async () => {
    const options = { timeoutMs: 7 };
    answer = () => Promise.resolve('there');
    expect(await watched.call(sessionRead, {}, options)).toBe('there');
    expect(asked).toEqual([[sessionRead, {}, options]]);
    expect(heard).toEqual(['answered']);
  });

  it('fails as it did, and its code is heard', async () => {
    const error = new HalfkeyError('session_missing', 'no');
    answer = () => Promise.reject(error);
    await expect(watched.call(sessionRead, {})).rejects.toBe(error);
    expect(heard).toEqual(['session_missing']);
  });

  it('that was called off says nothing of the broker', async () => {
    const error = new DOMException('called off', 'AbortError');
    answer = () => Promise.reject(error);
    await expect(watched.call(sessionRead, {})).rejects.toBe(error);
    expect(heard).toEqual([]);
  });
});
