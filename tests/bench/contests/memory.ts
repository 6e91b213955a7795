import { basename } from 'node:path';
import { watchMemory } from '../../support/memory.ts';
import type { BenchPage } from '../chromium.ts';
import { limit, sizeText, speed, type Figure } from '../figure.ts';
import type { Ground } from '../ground.ts';
import { Person } from '../person.ts';
import type { Contest } from './contest.ts';
import { makeFile } from './files.ts';

const MIB = 1024 ** 2;
const LIMIT_MB = 150;

/**
 * How much memory all of the browser's processes together take up more, at their peak; through the product's own
 * worker.
 */
export const memory: Contest = {
  async run(ground, { fileBytes, largeFileBytes }) {
    const page = await ground.openPage();
    const person = new Person(ground.stack.clock);
    await person.signUp(page);
    const figures: Figure[] = [];
    for (const sizeBytes of [fileBytes, largeFileBytes])
      figures.push(...(await growth(ground, page, person, sizeBytes)));
    return figures;
  },
};

async function growth(ground: Ground, page: BenchPage, person: Person, sizeBytes: number): Promise<Figure[]> {
  const path = await makeFile(ground, sizeBytes);
  const watched = async (what: string, work: () => Promise<unknown>): Promise<Figure> => {
    await page.reload();
    await page.pick(path);
    await person.unlock(page);
    const watch = watchMemory(page.profileFolder);
    const start = performance.now();
    await work();
    const ms = performance.now() - start;
    const value = (watch.stop() * MIB) / 1e6;
    const note = `at ${speed({ name: what, bytes: sizeBytes, ms }).toFixed(0)} MB/s`;
    return limit(
      `peak memory, ${what}`,
      sizeText(sizeBytes),
      { value, unit: 'MB', note },
      { below: LIMIT_MB },
    );
  };
  const figures = [
    await watched('sealing a file', () => page.call('run', { contest: 'sealFile' })),
    await watched('uploading it', () => page.call('upload')),
    await watched('downloading it to OPFS', () => page.call('download', { name: basename(path) })),
  ];
  await page.call('compareDownload');
  return figures;
}
