/** One operation of one client on the journal. Times are places in one order of all calls and returns. */
export type Operation =
  | {
      readonly kind: 'append';
      readonly value: string;
      readonly calledAt: number;
      /** Infinity: never answered. It may have had its effect, or have it still. */
      readonly answeredAt: number;
      /** The place that was told; undefined when it was refused or never answered. */
      readonly seq: number | undefined;
    }
  | {
      readonly kind: 'read';
      readonly calledAt: number;
      readonly answeredAt: number;
      readonly head: number;
      /** The values from the first segment on, as many as were answered. */
      readonly values: readonly string[];
    };

/**
 * Whether a history of appends and reads could have come about one operation after the other, each at a moment between
 * its call and its answer. For a log whose answers name places this is decided by the places: they are the order.
 * @param log the values that are there at the end, by place
 * @returns what contradicts it, in words; empty when it is linearizable
 */
export function contradictions(history: readonly Operation[], log: readonly string[]): string[] {
  const found: string[] = [];
  const places = new Map<string, number[]>();
  for (const [seq, value] of log.entries()) places.set(value, [...(places.get(value) ?? []), seq]);
  for (const [value, seqs] of places) if (seqs.length > 1) found.push(`${value} lies there twice`);

  for (const operation of history) {
    if (operation.kind === 'append') {
      const { value, seq, answeredAt } = operation;
      if (seq !== undefined && log[seq] !== value)
        found.push(`${value} was acknowledged at ${String(seq)} and is lost`);
      if (seq === undefined && answeredAt !== Infinity && places.has(value))
        found.push(`${value} was refused and is there`);
    } else {
      if (operation.head >= log.length) found.push('a read saw a head that is not there');
      if (operation.values.some((value, seq) => log[seq] !== value)) found.push('a read saw another order');
    }
  }
  found.push(...outOfTime(history, places));
  return found;
}

/** What was answered before another began comes before it, or is seen by it. */
function outOfTime(history: readonly Operation[], places: ReadonlyMap<string, readonly number[]>): string[] {
  const placed = history.flatMap((operation) => {
    const seq = operation.kind === 'read' ? operation.head : (places.get(operation.value) ?? [])[0];
    return seq === undefined ? [] : [{ ...operation, seq, isRead: operation.kind === 'read' }];
  });
  const byAnswer = [...placed].sort((a, b) => a.answeredAt - b.answeredAt);
  const byCall = [...placed].sort((a, b) => a.calledAt - b.calledAt);
  let [highest, next] = [-1, 0];
  const found: string[] = [];
  for (const operation of byCall) {
    for (
      let before = byAnswer[next];
      before && before.answeredAt < operation.calledAt;
      before = byAnswer[next]
    ) {
      highest = Math.max(highest, before.seq);
      next += 1;
    }
    // A read may see the same head again; an append needs a place of its own.
    const tooLow = operation.isRead ? operation.seq < highest : operation.seq <= highest;
    if (tooLow)
      found.push(`${operation.kind} at ${String(operation.seq)} began after ${String(highest)} was known`);
  }
  return found;
}
