/** Reads under way at a time: whole answers of small items are one wait. */
const PARALLEL = 256;
/** What an item that was not read yet is taken for, until one is known to be longer. */
const EXPECTED_BYTES = 32 * 1024;

/**
 * Reads items 0 to count − 1, several at a time, and yields as many from the start as fit into `maxBytes` together; the
 * first is always there. Nothing is begun that would not fit if it were as long as the longest so far.
 */
export async function readInOrder(
  count: number,
  maxBytes: number,
  read: (index: number) => Promise<Uint8Array>,
): Promise<Uint8Array[]> {
  const items: Uint8Array[] = [];
  let next = 0;
  let reading = 0;
  let readBytes = 0;
  let longest = EXPECTED_BYTES;
  let failed = false;

  const fits = (): boolean => next === 0 || readBytes + (reading + 1) * longest <= maxBytes;
  const worker = async (): Promise<void> => {
    while (!failed && next < count && fits()) {
      const index = next;
      next += 1;
      reading += 1;
      try {
        const bytes = await read(index);
        items[index] = bytes;
        readBytes += bytes.length;
        longest = Math.max(longest, bytes.length);
      } catch (error) {
        failed = true;
        throw error;
      } finally {
        reading -= 1;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(PARALLEL, count) }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return prefixWithin(items, maxBytes);
}

function prefixWithin(items: readonly Uint8Array[], maxBytes: number): Uint8Array[] {
  const kept: Uint8Array[] = [];
  let sizeBytes = 0;
  for (const item of items) {
    sizeBytes += item.length;
    if (kept.length > 0 && sizeBytes > maxBytes) break;
    kept.push(item);
  }
  return kept;
}
