import { describeTakenPort } from '../launch/port.mjs';
import { StartRefused } from '../domain/start-refused.ts';

/** Where the process was about to work, for the sentences about it. */
export interface Place {
  readonly ports: readonly number[];
  /** Of the local cloud; undefined where there is none. */
  readonly dataFolder: string | undefined;
}

const UNWRITABLE = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT'];
const FULL = ['ENOSPC', 'EDQUOT'];

/**
 * Why a process does not start, for the operator: the code and one sentence that says what to do.
 * @param error the message of one that is not ours may say anything, so only its code is repeated
 */
export async function explainStart(error: unknown, { ports, dataFolder }: Place): Promise<string> {
  if (error instanceof StartRefused) return error.message;
  const code = codeOf(error);
  if (code === 'EADDRINUSE') {
    const described = await Promise.all(ports.map(describeTakenPort));
    const taken = described.find((sentence) => sentence !== undefined);
    return `port_taken: ${taken ?? `port ${ports.join(' or ')} was taken a moment ago: try again`}`;
  }
  if (code === 'EACCES' && isAboutPort(error)) {
    return `port_refused: this user may not listen on port ${ports.join(' or ')}: choose one above 1023 with PORT`;
  }
  if (dataFolder !== undefined) {
    if (FULL.includes(code))
      return `disk_full: the disk that holds ${dataFolder} is full: free some space and try again`;
    if (UNWRITABLE.includes(code)) {
      return `data_unwritable: this user cannot write to the data folder ${dataFolder}: change its owner, or choose another folder with HALFKEY_DATA`;
    }
  }
  return `${code}: cannot start`;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function isAboutPort(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'listen';
}
