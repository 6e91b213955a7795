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

  it('for any other reason stays until it is dismissed', async () => {
    await fail('digest_mismatch');
    notice.isReached();
    notice.isOpen();
    expect(notice.noticed?.tried).toBe('It was not done');
    notice.show({ tried: 'No', reason: 'So.' });
    notice.isReached();
    notice.isOpen();
    expect(notice.noticed?.tried).toBe('No');
  });
});
