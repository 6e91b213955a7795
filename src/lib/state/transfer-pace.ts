import type { TransferPace, TransferReport } from '../protocol/transfer.ts';

/** Short enough to follow a change, long enough not to flicker. */
const WINDOW_MS = 5_000;
/** What is faster than this is over before it can be read. */
const SHORTEST_MS = 1_000;

/** How fast all transfers go together: of many small ones each is over before it has a pace of its own. */
export class TransferMeter {
  #samples: { readonly atMs: number; readonly bytes: number }[] = [];

  /** @param all as they are now */
  sample(all: readonly TransferReport[], nowMs: number): TransferPace {
    const counted = all.filter(({ phase }) => phase !== 'failed' && phase !== 'cancelled');
    const done = counted.filter(({ phase }) => phase === 'done');
    const totalBytes = sum(counted, ({ totalBytes }) => totalBytes);
    const doneBytes = sum(counted, (each) => (each.phase === 'done' ? each.totalBytes : each.doneBytes));
    const figures = { done: done.length, all: counted.length, doneBytes, totalBytes };
    // What was dismissed, or begun anew, takes its bytes along.
    if (doneBytes < (this.#samples.at(-1)?.bytes ?? 0)) this.#samples = [];
    this.#samples = this.#samples.filter(({ atMs }) => nowMs - atMs <= WINDOW_MS && atMs <= nowMs);
    this.#samples.push({ atMs: nowMs, bytes: doneBytes });
    const oldest = this.#samples[0];
    const ms = nowMs - (oldest?.atMs ?? nowMs);
    const moved = doneBytes - (oldest?.bytes ?? doneBytes);
    if (ms < SHORTEST_MS || moved <= 0) return figures;
    const bytesPerSecond = (moved * 1000) / ms;
    return { ...figures, bytesPerSecond, secondsLeft: Math.ceil((totalBytes - doneBytes) / bytesPerSecond) };
  }
}

function sum(all: readonly TransferReport[], of: (report: TransferReport) => number): number {
  return all.reduce((before, each) => before + of(each), 0);
}
