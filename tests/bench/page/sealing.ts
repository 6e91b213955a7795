import { equalBytes } from '../../../src/lib/bytes.ts';
import { race, type Rate } from './race.ts';
import { sealers } from './sealers.ts';

/** Sealing in memory: the platform's limit, Halfkey, and what one would otherwise take. Each output is opened again. */
export async function sealingContest(sizeBytes: number, rounds: number): Promise<Rate[]> {
  const plaintext = new Uint8Array(sizeBytes);
  for (let offset = 0; offset < sizeBytes; offset += 65_536)
    crypto.getRandomValues(plaintext.subarray(offset, offset + 65_536));
  const contestants = await sealers(sizeBytes);
  for (const { name, seal: sealWith, open: openWith } of contestants) {
    const opened = await openWith(await sealWith(plaintext));
    if (!equalBytes(opened, plaintext)) throw new Error(`${name} does not open to what was sealed`);
  }
  const sides = contestants.map((contestant) => {
    const { name, seal: sealWith, race: raceWith = sealWith } = contestant;
    return { name, run: () => raceWith(plaintext) };
  });
  return race(sizeBytes, rounds, sides);
}
