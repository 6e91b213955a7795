/**
 * Does `work` for each item, at most `lanes` at a time, in the items' order of beginning. The first failure stops the
 * rest: `signal` given to `work` fires, and the failure is thrown when all lanes have come to rest.
 */
export async function inLanes<Item>(
  items: Iterable<Item>,
  lanes: number,
  signal: AbortSignal,
  work: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const queue = items[Symbol.iterator]();
  let failure: { error: unknown } | undefined;
  const lane = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      if (either.aborted) return;
      try {
        await work(next.value, either);
      } catch (error) {
        failure ??= { error };
        stop.abort(error);
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  signal.throwIfAborted();
  if (failure) throw failure.error;
}
