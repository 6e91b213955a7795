import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sessionEnd } from '$contract/accounts.ts';
import { HalfkeyError, type ErrorCode } from '../../src/lib/errors.ts';
import type { Broker } from '../../src/lib/remote/broker.ts';
import { endLeft, leaveSession } from '../../src/lib/session/left-session.ts';
import { forgetLeft, isLeft } from '../../src/lib/store/left-session.ts';

let asked: string[];
let refusal: ErrorCode | undefined;
const broker: Broker = {
  call: (route) => {
    asked.push(route.path);
    return refusal ? Promise.reject(new HalfkeyError(refusal, 'as told')) : Promise.resolve({} as never);
  },
};

beforeEach(() => {
  [asked, refusal] = [[], undefined];
});
afterEach(() => forgetLeft());

describe('signing out', () => {
  it('leaves nothing behind once the broker has heard of it', async () => {
    await leaveSession(broker);
    expect([asked, await isLeft()]).toEqual([[sessionEnd.path], false]);
  });

  it('leaves nothing behind where the session has ended already', async () => {
    refusal = 'session_missing';
    await leaveSession(broker);
    expect(await isLeft()).toBe(false);
  });

  it.each(['broker_unreachable', 'broker_failed', 'nonce_stale'] as const)(
    'that ends in %s is made good at the next start, and then not again',
    async (code) => {
      refusal = code;
      await leaveSession(broker);
      await endLeft(broker);
      expect([asked.length, await isLeft()]).toEqual([2, true]);
      refusal = undefined;
      await endLeft(broker);
      await endLeft(broker);
      expect([asked.length, await isLeft()]).toEqual([3, false]);
    },
  );
});

it('a start asks nothing where nobody has signed out without a network', async () => {
  await endLeft(broker);
  expect(asked).toEqual([]);
});
