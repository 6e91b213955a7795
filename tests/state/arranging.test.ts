import './runes.ts';
import { expect, it } from 'vitest';
import { Announcer } from '../../src/lib/state/announcer.svelte.ts';
import { Arranging } from '../../src/lib/state/arranging.ts';
import { Notice } from '../../src/lib/state/notice.svelte.ts';
import { Toast } from '../../src/lib/state/toast.svelte.ts';
import { until } from '../support/until.ts';
import { toldWorker } from './told-worker.ts';

it('offers to undo what went into the trash, until something is deleted for good', async () => {
  const { worker } = toldWorker({
    'entries/trash': ({ entries }) => ({ trashed: entries }),
    'entries/purge': () => ({ count: 1 }),
  });
  const announcer = new Announcer();
  const toast = new Toast(announcer);
  const arranging = new Arranging({ worker, notice: new Notice(), toast, announcer });
  arranging.trash({ entries: ['f1'], name: 'a.txt' });
  await until(() => toast.current?.undo !== undefined);
  await arranging.purge({ entries: ['f1'], name: 'a.txt' }, [], { code: '123456' });
  expect(toast.current).toBeUndefined();
});
