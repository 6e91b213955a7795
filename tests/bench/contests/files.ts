import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { ratio, type Figure } from '../figure.ts';
import type { Ground } from '../ground.ts';
import type { Rate } from '../page/race.ts';
import { Person } from '../person.ts';
import type { Contest } from './contest.ts';

const BLOCK_BYTES = 32 * 1024 ** 2;

/** A file of random blocks. @returns its path */
export async function makeFile({ folder }: Ground, sizeBytes: number): Promise<string> {
  const path = join(folder, `${String(sizeBytes)}.bin`);
  const file = await open(path, 'w');
  try {
    const block = randomBytes(BLOCK_BYTES);
    for (let offset = 0; offset < sizeBytes; offset += BLOCK_BYTES) {
      block.writeDoubleBE(offset);
      await file.write(block.subarray(0, Math.min(BLOCK_BYTES, sizeBytes - offset)));
    }
    await file.sync(); // Writing back would go on into the contest.
  } finally {
    await file.close();
  }
  return path;
}

/** A file sealed, uploaded and downloaded, each beside the same without our part in it. */
export const files: Contest = {
  async run(ground, { fileBytes, rounds }) {
    const page = await ground.openPage();
    await new Person(ground.stack.clock).signUp(page);
    const path = await makeFile(ground, fileBytes);
    const compete = async (contest: string): Promise<Rate[]> => {
      await page.reload();
      await page.pick(path);
      return page.call<Rate[]>('run', { contest, args: { rounds } });
    };
    const [read, sealed, hashed] = await compete('filing');
    const [put, readAndPut, uploaded, streamed] = await compete('uploading');
    const [fetched, downloaded] = await compete('downloading');
    return [
      figure('sealing a file', sealed, read, 0.9),
      figure('sealing and hashing a file', hashed, read),
      figure('sealing, hashing and uploading a file', uploaded, put, 0.6),
      figure('the same beside what must read, and does not seal', uploaded, readAndPut),
      figure('the same without keeping a copy on the device', streamed, put),
      figure('downloading, opening and writing to OPFS', downloaded, fetched, 0.4),
    ];
  },
};

function figure(what: string, ours: Rate | undefined, beside: Rate | undefined, atLeast?: number): Figure {
  if (!ours || !beside) throw new TypeError(`expected two rates of ${what}`);
  return ratio(what, ours, beside, atLeast);
}
