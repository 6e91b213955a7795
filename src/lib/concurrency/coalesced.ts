/**
 * Work that never runs twice at once. Calls that come while it runs are answered by one more run afterwards, because
 * what they are about may have come too late for the one under way.
 * @param work must not reject; `false` when it failed, and another run at once would be in vain
 * @returns resolves when nothing asked for is left to be done
 */
export function coalesced(work: () => Promise<boolean>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let isWanted = false;
  const isWantedAgain = (): boolean => isWanted;
  const run = async (): Promise<void> => {
    try {
      for (let isFine = true; isFine && isWantedAgain();) {
        isWanted = false;
        isFine = await work();
      }
    } finally {
      running = undefined; // In the turn of the last look, so that no question in between is forgotten.
    }
  };
  return () => {
    isWanted = true;
    return (running ??= run());
  };
}
