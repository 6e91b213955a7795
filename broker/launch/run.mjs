import { spawnSync } from 'node:child_process';
import { root } from './root.mjs';

/** What a tool prints when something outside of it is the cause, and what to say instead of a page of output. */
const CAUSES = [
  {
    pattern: /\bE(NOSPC|DQUOT)\b|no space left on device|disk quota exceeded/i,
    sentence: 'the disk is full: free some space (about 1 GB) and try again',
  },
  {
    pattern:
      /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|FETCH_ERROR)\b|network (request|timeout)/,
    sentence:
      'the npm registry cannot be reached: check the network, or the proxy that npm uses, and try again',
  },
  {
    pattern: /\b(EACCES|EPERM|EROFS)\b/,
    sentence: `this user may not write to ${root}: clone the repository to a folder of your own, or change its owner`,
  },
];

/**
 * @param {string} output of a tool that failed
 * @returns {string | undefined} one sentence about a cause outside of the tool; undefined if none is known
 */
export function causeOf(output) {
  return CAUSES.find(({ pattern }) => pattern.test(output))?.sentence;
}

/**
 * Says why nothing comes of it, and ends the process.
 * @param {string} sentence
 * @returns {never}
 */
export function endWith(sentence) {
  console.error(`halfkey: ${sentence}`);
  process.exit(1);
}

/**
 * Runs a command in the project's folder without showing what it prints; ends the process, as `failWith` does, when it
 * fails.
 * @param {string} what the command does: "building the app"
 * @param {string} command @param {string[]} args
 * @returns {string} what it printed
 */
export function runQuietly(what, command, ...args) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    // On Windows npm is a command file, which only a shell runs.
    shell: process.platform === 'win32' && command === 'npm',
  });
  const output = `${stdout}${stderr}${error?.message ?? ''}`;
  return status === 0 ? output : failWith(what, output);
}

/**
 * Ends the process, with the cause in one sentence if it is known and with the whole output if not.
 * @param {string} what failed: "building the app"
 * @param {string} output of the tool that failed
 * @returns {never}
 */
export function failWith(what, output) {
  const cause = causeOf(output);
  if (!cause) console.error(output.trim());
  endWith(cause ? `${what} failed: ${cause}` : `${what} failed`);
}
