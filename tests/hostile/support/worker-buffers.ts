import type { Page } from 'playwright';
import { findSecrets, type Secret } from '../../e2e/find-secrets.ts';
import { collectGarbage, workerStrings } from './devtools.ts';

const WINDOW_BYTES = 8;

/**
 * Those of the secrets of which eight bytes in a row, from wherever, stand in a buffer of the crypto worker that
 * somebody still holds.
 * @param page of a build whose worker notes its buffers (tests/support/watched-buffers.mjs)
 */
export async function secretsInBuffers(page: Page, secrets: readonly Secret[]): Promise<string[]> {
  await collectGarbage(page);
  const [worker] = page.workers();
  if (!worker) throw new Error('expected a worker');
  const windows = secrets.flatMap(({ name, bytes }) =>
    windowsOf(bytes).map((window) => [window.toString('hex'), name] as const),
  );
  return (await worker.evaluate(namesOfFound, windows)).sort();
}

/**
 * Those of which eight bytes in a row stand in a string of the worker, a byte for a character; or the whole, in any
 * other form.
 */
export async function secretsInStrings(page: Page, secrets: readonly Secret[]): Promise<string[]> {
  const strings = Buffer.from((await workerStrings(page)).join('\n'), 'latin1');
  const windows = secrets.filter(({ bytes }) => windowsOf(bytes).some((window) => strings.includes(window)));
  return [...new Set([...windows.map(({ name }) => name), ...findSecrets(strings, secrets)])].sort();
}

function windowsOf(bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length - WINDOW_BYTES + 1 }, (_, at) =>
    bytes.subarray(at, at + WINDOW_BYTES),
  );
}

/** Runs in the worker. @param wanted bytes in hex, all of one length, and whose they are */
function namesOfFound(wanted: readonly (readonly [string, string])[]): string[] {
  const windows = new Map(wanted);
  const windowBytes = (wanted[0]?.[0].length ?? 0) / 2;
  const starts = new Set(wanted.map(([hex]) => Number.parseInt(hex.slice(0, 8), 16)));
  const found = new Set<string>();
  const { notedBuffers } = globalThis as unknown as { notedBuffers: WeakRef<ArrayBuffer>[] };
  for (const buffer of notedBuffers.map((noted) => noted.deref())) {
    // What was handed over has no bytes any more.
    if (!buffer || buffer.byteLength < windowBytes) continue;
    const view = new DataView(buffer);
    for (let at = 0; at + windowBytes <= buffer.byteLength; at++) {
      if (!starts.has(view.getUint32(at))) continue;
      let hex = '';
      for (let next = at; next < at + windowBytes; next++)
        hex += view.getUint8(next).toString(16).padStart(2, '0');
      const name = windows.get(hex);
      if (name !== undefined) found.add(name);
    }
  }
  return [...found];
}
