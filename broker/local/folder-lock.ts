import { createHash } from 'node:crypto';
import { mkdir, realpath, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Makes sure that one process at a time works on a data folder: two would overwrite each other's log. The lock is a
 * listening socket, which ends with its process however that ends, and not a file with a process id, which another
 * process may have by the next start.
 * @returns what gives the lock back
 * @throws {Error} when the folder is in use
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const name = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex')
    .slice(0, 24);
  // Linux has names that are no files: nothing stale to remove, which two could do at once, and no folder to differ in.
  // Elsewhere a file; in the data folder its path could be longer than the bytes that a socket may have.
  const isFile = process.platform !== 'linux';
  const path = isFile
    ? join(tmpdir(), `halfkey-${String(process.getuid?.() ?? 0)}-${name}.lock`)
    : `\0halfkey-${name}.lock`;
  const server = createServer((socket) => socket.destroy());
  if (!(await listens(server, path))) {
    if (await answers(path)) throw new Error(inUse(folder));
    if (isFile) await rm(path, { force: true });
    if (!(await listens(server, path))) throw new Error(inUse(folder));
  }
  server.unref();
  return () =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
    });
}

function inUse(folder: string): string {
  return `the data folder ${folder} is in use by another Halfkey: stop that one, or choose another folder with HALFKEY_DATA`;
}

function listens(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    };
    server.once('error', onError);
    server.listen(path, () => {
      server.off('error', onError);
      resolve(true);
    });
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
