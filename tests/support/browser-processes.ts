import { readdirSync, readFileSync } from 'node:fs';

/** A process of a browser. */
export interface BrowserProcess {
  readonly pid: number;
  /** Whether pages and workers run in it. */
  readonly isRenderer: boolean;
}

/**
 * All processes of a browser that run now; none when there is no such browser. Linux only.
 * @param userDataFolder tells the browser's main process by its command line; its children are found from there
 */
export function processesOf(userDataFolder: string): BrowserProcess[] {
  const parents = new Map<number, number>();
  const commandLines = new Map<number, string>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = readProcess(Number(entry), 'stat');
    parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    commandLines.set(Number(entry), readProcess(Number(entry), 'cmdline'));
  }
  const isMain = (line: string): boolean =>
    line.includes(`--user-data-dir=${userDataFolder}`) && !line.includes('--type=');
  const [main] = [...commandLines].find(([, line]) => isMain(line)) ?? [];
  if (main === undefined) return [];
  return [...commandLines]
    .filter(([pid]) => descendsFrom(pid, main, parents))
    .map(([pid, line]) => ({ pid, isRenderer: line.includes('--type=renderer') }));
}

/** A file of the kernel about a process; empty for one that has just ended. */
export function readProcess(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${String(pid)}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

function descendsFrom(pid: number, ancestor: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
    if (at === ancestor) return true;
  return false;
}
