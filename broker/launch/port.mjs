import { once } from 'node:events';
import { createServer } from 'node:net';
import { endWith } from './run.mjs';

const ASK_MS = 1000;
/** A Halfkey's is a tenth of it. */
const ANSWER_CHARACTERS = 1024;

/**
 * Ends the process, saying who is there, when PORT or one of the ports after it is taken: what would end the start
 * anyway is said at once, not after a minute of installing. An odd PORT is for the settings to refuse.
 * @param {number} count how many in a row are needed
 * @returns {Promise<number>} the first of them
 */
export async function requireFreePorts(count) {
  const port = Number(process.env['PORT'] ?? '8787');
  if (!Number.isInteger(port) || port < 1 || port + count > 65_536) return port;
  for (let wanted = port; wanted < port + count; wanted += 1) {
    const taken = await describeTakenPort(wanted);
    if (taken) endWith(`port_taken: ${taken}`);
  }
  return port;
}

/**
 * @param {number} port on 127.0.0.1
 * @returns {Promise<string | undefined>} one sentence about who listens there and what to do about it; undefined if it
 *   is free
 */
export async function describeTakenPort(port) {
  if (await isFree(port)) return undefined;
  const version = await halfkeyVersionAt(port);
  const holder = version === undefined ? 'another program' : `another Halfkey (version ${version})`;
  return `port ${String(port)} is taken by ${holder}: stop that one, or choose another port, as in PORT=${String(port + 10)} npm start`;
}

/** @param {number} port */
async function isFree(port) {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE');
  } finally {
    server.close();
  }
}

/** Another program might answer without end. @param {Response} response */
async function textOf({ body }) {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > ANSWER_CHARACTERS) throw new Error('expected a short answer');
  }
  return text;
}

/** @param {number} port @returns {Promise<string | undefined>} undefined if it is not a broker of ours */
async function halfkeyVersionAt(port) {
  try {
    const response = await fetch(`http://127.0.0.1:${String(port)}/version`, {
      signal: AbortSignal.timeout(ASK_MS),
    });
    const answer = /** @type {unknown} */ (JSON.parse(await textOf(response)));
    if (typeof answer !== 'object' || answer === null) return undefined;
    const { name, version } = /** @type {Record<string, unknown>} */ (answer);
    if (name !== 'halfkey' || typeof version !== 'string') return undefined;
    // Another program might answer with anything; a version is short and plain.
    return /^[\w.+-]{1,40}$/.test(version) ? version : undefined;
  } catch {
    return undefined;
  }
}
