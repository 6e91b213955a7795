import { PassThrough, Readable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readBody } from '../../../broker/aws/read-body.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('the body of an answer of S3', () => {
  it('is read whole, up to the limit', async () => {
    const body = Readable.from([Buffer.from('ab'), Buffer.from('c')]);
    expect(Buffer.from(await readBody(body, 3)).toString()).toBe('abc');
    expect(await readBody(Readable.from([]), 3)).toHaveLength(0);
  });

  it('that is longer than any broker writes is none of ours', async () => {
    const body = Readable.from([Buffer.from('ab'), Buffer.from('cd')]);
    await expect(readBody(body, 3)).rejects.toMatchObject({ code: 'record_corrupt' });
    expect(body.destroyed).toBe(true);
  });

  it('that breaks off is not taken for whole', async () => {
    const body = new PassThrough();
    body.write('ab');
    const reading = readBody(body, 10);
    body.destroy();
    await expect(reading).rejects.toThrow('broke off');
    await expect(readBody('text', 10)).rejects.toBeInstanceOf(TypeError);
  });

  it('that trickles is given up after twenty seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const body = new PassThrough();
    let failed: unknown;
    const reading = readBody(body, 10).catch((error: unknown) => (failed = error));
    vi.advanceTimersByTime(19_999);
    expect(body.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    await reading;
    expect([body.destroyed, String(failed)]).toEqual([true, 'Error: expected a body within 20000 ms']);
  });
});
