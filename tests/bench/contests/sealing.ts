import { ratio } from '../figure.ts';
import type { Rate } from '../page/race.ts';
import type { Contest } from './contest.ts';

/** Sealing in memory: Halfkey beside the platform's bare AES-256-GCM, and beside what one would take otherwise. */
export const sealing: Contest = {
  async run(ground, { memoryBytes, rounds }) {
    const page = await ground.openPage();
    const args = { sizeBytes: memoryBytes, rounds };
    const rates = await page.call<Rate[]>('run', { contest: 'sealing', args });
    const [ours, bare, released, ...others] = rates;
    if (!ours || !bare || !released) throw new TypeError('expected three rates at least');
    const what = 'sealing in memory';
    return [
      ratio(what, ours, bare, 0.9),
      ratio(what, ours, released),
      ...others.map((other) => ratio(what, ours, other, 3)),
    ];
  },
};
