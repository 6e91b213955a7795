import { expect, test } from 'vitest';

test('private files are written in place, emptied when made again, read, listed and removed', async () => {
  const worker = new Worker(new URL('./opfs.worker.ts', import.meta.url), { type: 'module' });
  const result = await new Promise<unknown>((resolve, reject) => {
    worker.addEventListener('message', ({ data }) => {
      resolve(data);
    });
    worker.addEventListener('error', () => {
      reject(new Error('the worker did not start'));
    });
  });
  worker.terminate();
  expect(result).toEqual({
    supported: true,
    written: [1, 2, 9, 4],
    emptied: 0,
    listed: ['one'],
    absent: undefined,
    left: [],
    free: true,
  });
});
