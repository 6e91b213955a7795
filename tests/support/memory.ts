import { processesOf, readProcess } from './browser-processes.ts';

const SAMPLE_MS = 200;

/** Peak of a browser's memory: the proportional set size of all of its processes together. Linux only. */
export interface MemoryWatch {
  /** Growth of the peak over what it was at the start, in MiB. */
  stop(): number;
}

/** @param userDataFolder tells the browser's main process by its command line */
export function watchMemory(userDataFolder: string): MemoryWatch {
  const startKib = pssKib(userDataFolder);
  if (startKib === 0) throw new Error('no browser with this user data folder');
  let peakKib = startKib;
  const timer = setInterval(() => {
    peakKib = Math.max(peakKib, pssKib(userDataFolder));
  }, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      peakKib = Math.max(peakKib, pssKib(userDataFolder));
      return (peakKib - startKib) / 1024;
    },
  };
}

function pssKib(userDataFolder: string): number {
  let sum = 0;
  for (const { pid } of processesOf(userDataFolder))
    sum += Number(/^Pss:\s+(\d+)/m.exec(readProcess(pid, 'smaps_rollup'))?.[1] ?? 0);
  return sum;
}
