import { readdirSync, readFileSync } from 'node:fs';

const SAMPLE_MS = 200;

/** Peak of a browser's memory: the proportional set size of all of its processes together. Linux only. */
export interface MemoryWatch {
  /** Growth of the peak over what it was at the start, in MiB. */
  stop(): number;
}

/** @param userDataFolder tells the browser's main process by its command line; its children are found from there */
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
  const parents = new Map<number, number>();
  let main: number | undefined;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = read(`/proc/${entry}/stat`);
    parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    const commandLine = read(`/proc/${entry}/cmdline`);
    if (commandLine.includes(`--user-data-dir=${userDataFolder}`) && !commandLine.includes('--type='))
      main ??= Number(entry);
  }
  if (main === undefined) return 0;
  let sum = 0;
  for (const pid of parents.keys()) {
    if (descendsFrom(pid, main, parents))
      sum += Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${String(pid)}/smaps_rollup`))?.[1] ?? 0);
  }
  return sum;
}

function descendsFrom(pid: number, ancestor: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
    if (at === ancestor) return true;
  return false;
}

/** Empty for a process that has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
