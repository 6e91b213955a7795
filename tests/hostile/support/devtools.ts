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

/** Collects garbage in the page and in each of its workers, which have heaps of their own, so that what nobody holds is given back. */
export async function collectGarbage(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const workers: string[] = [];
  session.on('Target.attachedToTarget', ({ sessionId }) => workers.push(sessionId));
  const answers = new Map<string, () => void>();
  session.on('Target.receivedMessageFromTarget', ({ sessionId }) => answers.get(sessionId)?.());
  // Playwright's own sessions are flat ones, which a session made here cannot speak through.
  await session.send('Target.setAutoAttach', {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  });
  await session.send('HeapProfiler.collectGarbage');
  const message = JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' });
  for (const sessionId of workers) {
    const answered = new Promise<void>((resolve) => answers.set(sessionId, resolve));
    await session.send('Target.sendMessageToTarget', { sessionId, message });
    await answered;
  }
  await session.detach();
}
