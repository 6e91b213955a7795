import './runes.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { HalfkeyError, type ErrorCode } from '../../src/lib/errors.ts';
import { Notice } from '../../src/lib/state/notice.svelte.ts';

let notice: Notice;

beforeEach(() => {
  notice = new Notice();
});

const fail = (code: ErrorCode) =>
  notice.watch('It was not done', () => Promise.reject(new HalfkeyError(code, '')));

describe('what was not done', () => {
  it('because the server did not answer goes out of sight when it does, and no sooner', async () => {
    await fail('broker_unreachable');
    notice.isOpen();
    expect(notice.noticed?.tried).toBe('It was not done');
    notice.isReached();
    expect(notice.noticed).toBeUndefined();
  });

  it.each(['locked', 'grant_missing', 'grant_spent'] as const)(
    'because of %s goes out of sight with the next code, and no sooner',
    async (code) => {
      await fail(code);
      notice.isReached();
      expect(notice.noticed?.tried).toBe('It was not done');
      notice.isOpen();
      expect(notice.noticed).toBeUndefined();
    },
  );

  it.each([
    'store_unreachable',
    'kms_unreachable',
    'kms_key_unusable',
    'broker_failed',
    'url_expired',
  ] as const)('because of %s goes out of sight once a file has come or gone, and no sooner', async (code) => {
    await fail(code);
    notice.isReached();
    notice.isOpen();
    expect(notice.noticed?.tried).toBe('It was not done');
    notice.isServed();
    expect(notice.noticed).toBeUndefined();
  });

  it('for any other reason stays whatever answers, until it is dismissed or withdrawn', async () => {
    const answerAll = () => {
      notice.isReached();
      notice.isServed();
      notice.isOpen();
    };
    await fail('digest_mismatch');
    answerAll();
    expect(notice.noticed?.tried).toBe('It was not done');
    notice.dismiss();
    const [first, second] = [
      { tried: 'No', reason: 'So.' },
      { tried: 'Nor', reason: 'So.' },
    ];
    notice.show(second);
    answerAll();
    notice.withdraw(first);
    expect(notice.noticed).toBe(second);
    notice.withdraw(second);
    expect(notice.noticed).toBeUndefined();
  });
});
