import { describe, expect, it } from 'vitest';
import { authenticatorConfirm } from '$contract/credentials.ts';
import { sessionRead, signinStart } from '$contract/accounts.ts';
import { HalfkeyError, type ErrorCode } from '../../src/lib/errors.ts';
import type { Broker } from '../../src/lib/remote/broker.ts';
import { withTokenRetry } from '../../src/lib/remote/token-retry.ts';
import { TestLocks } from '../support/test-locks.ts';

/** A broker that refuses with these codes in turn, and then answers; `asked` counts. */
function broker(...codes: ErrorCode[]) {
  const asked: string[] = [];
  const plain: Broker = {
    call: (route) => {
      asked.push(route.path);
      const code = codes.shift();
      return code ? Promise.reject(new HalfkeyError(code, 'refused')) : Promise.resolve({} as never);
    },
  };
  const locks = new TestLocks().client().locks as LockManager;
  return { asked, locks, steady: withTokenRetry(plain, locks) };
}

describe('a session whose token is renewed', () => {
  it('asks once more what was refused for the old token', async () => {
    const { steady, asked } = broker('session_missing');
    await expect(steady.call(sessionRead, {})).resolves.toEqual({});
    expect(asked).toHaveLength(2);
  });

  it('is over when the new token is refused as well', async () => {
    const { steady, asked } = broker('session_missing', 'session_missing');
    await expect(steady.call(sessionRead, {})).rejects.toMatchObject({ code: 'session_missing' });
    expect(asked).toHaveLength(2);
  });

  it.each(['broker_unreachable', 'grant_missing', 'code_wrong'] as const)(
    'asks nothing again that was refused as %s',
    async (code) => {
      const { steady, asked } = broker(code);
      await expect(steady.call(sessionRead, {})).rejects.toMatchObject({ code });
      expect(asked).toHaveLength(1);
    },
  );

  it('asks nothing again of a stage that has no such token', async () => {
    const { steady, asked } = broker('session_missing');
    const request = { userName: 'ada' as never, startLoginRequest: 'AAAA' };
    await expect(steady.call(signinStart, request)).rejects.toMatchObject({ code: 'session_missing' });
    expect(asked).toHaveLength(1);
  });

  it('is waited for: what is refused meanwhile goes again once the renewal is through', async () => {
    const order: string[] = [];
    let answer: () => void = () => undefined;
    let isRenewed = false;
    const plain: Broker = {
      call: async (route) => {
        order.push(route.path);
        if (route === (authenticatorConfirm as unknown)) {
          await new Promise<void>((resolve) => (answer = resolve));
          isRenewed = true;
        } else if (!isRenewed) throw new HalfkeyError('session_missing', 'an old token');
        return {};
      },
    };
    const steady = withTokenRetry(plain, new TestLocks().client().locks as LockManager);
    const credentials = steady.call(authenticatorConfirm, { proof: 'p', code: '123456' });
    const other = steady.call(sessionRead, {});
    await new Promise((resolve) => setTimeout(resolve));
    expect(order.toSorted()).toEqual([authenticatorConfirm.path, sessionRead.path]);
    answer();
    await Promise.all([credentials, other]);
    expect(order.toSorted()).toEqual([authenticatorConfirm.path, sessionRead.path, sessionRead.path]);
  });
});
