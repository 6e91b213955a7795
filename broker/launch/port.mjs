import { once } from 'node:events';
import { createServer } from 'node:net';

const ASK_MS = 1000;

/**
 * @param {number} port on 127.0.0.1
 * @returns {Promise<string | undefined>} one sentence about who listens there and what to do about it; undefined if it is free
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

/** @param {number} port @returns {Promise<string | undefined>} undefined if it is no broker of ours */
async function halfkeyVersionAt(port) {
  try {
    const response = await fetch(`http://127.0.0.1:${String(port)}/version`, {
      signal: AbortSignal.timeout(ASK_MS),
    });
    const answer = /** @type {unknown} */ (await response.json());
    if (typeof answer !== 'object' || answer === null) return undefined;
    const { name, version } = /** @type {Record<string, unknown>} */ (answer);
    if (name !== 'halfkey' || typeof version !== 'string') return undefined;
    // Another program might answer with anything; a version is short and plain.
    return /^[\w.+-]{1,40}$/.test(version) ? version : undefined;
  } catch {
    return undefined;
  }
}
