import type { Page } from 'playwright';

/** Every string and every property of the heap of the page's own thread, as text. Garbage is collected first. */
export async function heapSnapshot(page: Page): Promise<Buffer> {
  const session = await page.context().newCDPSession(page);
  const chunks: string[] = [];
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk));
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  await session.detach();
  return Buffer.from(chunks.join(''));
}

/**
 * Collects garbage in the page and in each of its workers, which have heaps of their own, so that what nothing holds is
 * given back.
 */
export async function collectGarbage(page: Page): Promise<void> {
  await askWorkers(page, 'HeapProfiler.collectGarbage');
}

/** Every string of the heaps of the page's workers. Garbage is collected first. */
export async function workerStrings(page: Page): Promise<string[]> {
  const snapshots = await askWorkers(page, 'HeapProfiler.takeHeapSnapshot');
  return snapshots.flatMap((snapshot) => (JSON.parse(snapshot) as { strings: string[] }).strings);
}

/**
 * Asks the page and each of its workers for something.
 * @returns what each worker's heap snapshot is, empty where none was asked for
 */
async function askWorkers(
  page: Page,
  method: 'HeapProfiler.collectGarbage' | 'HeapProfiler.takeHeapSnapshot',
): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const workers: string[] = [];
  session.on('Target.attachedToTarget', ({ sessionId }) => workers.push(sessionId));
  const answers = new Map<string, () => void>();
  const chunks = new Map<string, string[]>();
  session.on('Target.receivedMessageFromTarget', ({ sessionId, message }) => {
    const { id, params } = JSON.parse(message) as { id?: number; params?: { chunk?: string } };
    if (id !== undefined) answers.get(sessionId)?.();
    else if (params?.chunk !== undefined) chunks.get(sessionId)?.push(params.chunk);
  });
  // Playwright's own sessions are flat ones, which a session made here cannot speak through.
  await session.send('Target.setAutoAttach', {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  });
  await session.send(method);
  const message = JSON.stringify({ id: 1, method });
  for (const sessionId of workers) {
    chunks.set(sessionId, []);
    const answered = new Promise<void>((resolve) => answers.set(sessionId, resolve));
    await session.send('Target.sendMessageToTarget', { sessionId, message });
    await answered;
  }
  await session.detach();
  return [...chunks.values()].map((parts) => parts.join(''));
}
