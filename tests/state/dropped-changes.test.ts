import './runes.ts';
import { expect, it } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { DroppedChanges } from '../../src/lib/state/dropped-changes.svelte.ts';
import { toldWorker } from './told-worker.ts';

const CHANGES = [
  { key: 3, name: 'a.txt', code: 'not_found' },
  { key: 8, name: 'b.txt', code: 'head_changed' },
] as const;

it('shows what was given up, and has the worker forget it once somebody has seen it', async () => {
  const { worker, sent } = toldWorker();
  const dropped = new DroppedChanges(worker);
  dropped.apply(CHANGES);
  expect(dropped.all).toEqual(CHANGES);
  await dropped.dismiss();
  expect(sent).toEqual([['changes/heard', { keys: [3, 8] }]]);
});

it('goes on showing what the worker could not forget', async () => {
  const { worker } = toldWorker({
    'changes/heard': () => Promise.reject(new HalfkeyError('device_full', 'no room')),
  });
  const dropped = new DroppedChanges(worker);
  dropped.apply(CHANGES);
  await expect(dropped.dismiss()).rejects.toMatchObject({ code: 'device_full' });
  expect(dropped.all).toEqual(CHANGES);
});
