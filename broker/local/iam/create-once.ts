import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../store/durable.ts';

/**
 * Reads a small file, which is made when it does not exist, whole and exactly once: of several who make it at the same
 * time, in any number of processes, one wins and all read the winner's. Mode 0600. Whatever is answered survives a
 * power cut.
 */
export async function readOrCreate(path: string, make: () => string | Promise<string>): Promise<string> {
  const folder = dirname(path);
  const found = await readIfThere(path);
  if (found === undefined) await createUnlessThere(path, await make());
  const content = found ?? (await readFile(path, 'utf8'));
  // Also for the one who found it: the one who made it may not have come this far yet.
  await syncFolder(folder);
  return content;
}

/** `undefined` when there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isFault(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function createUnlessThere(path: string, content: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await syncFolder(dirname(folder));
  const temporary = `${path}.${randomBytes(8).toString('hex')}.new`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    // link, where rename would replace what another process has made meanwhile.
    await link(temporary, path);
  } catch (error) {
    if (!isFault(error, 'EEXIST')) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

function isFault(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
