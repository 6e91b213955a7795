import { toCbor } from './cbor.ts';
import { arrayOf, type Operation } from './operations.ts';
import { concat, utf8, type Bytes } from './primitives.ts';
import type { State } from './state.ts';

const WIDTHS = { u16: 2, i32: 4, f64: 8 } as const;

/** Numbers of a column, little-endian. */
function numbers(kind: keyof typeof WIDTHS, values: readonly number[]): Bytes {
  const bytes = new Uint8Array(values.length * WIDTHS[kind]);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) {
    if (kind === 'u16') view.setUint16(index * 2, value, true);
    else if (kind === 'i32') view.setInt32(index * 4, value, true);
    else view.setFloat64(index * 8, value, true);
  }
  return bytes;
}

function column(bytes: Uint8Array): Bytes {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setUint32(0, bytes.length, true);
  return concat(length, bytes, new Uint8Array((8 - (bytes.length % 8)) % 8));
}

const texts = (values: readonly string[]): Bytes => utf8(values.join(''));
const written = (operation: Operation): Bytes => toCbor(arrayOf(operation));

/** Section 12.1: the bytes of a state after the segment with this seq and hash. */
export function encodeState(state: State, head: { readonly seq: number; readonly hash: Uint8Array }): Bytes {
  const { versions } = state;
  const entries = [...state.entries.values()];
  const entryIndex = new Map(entries.map(({ id }, index) => [id, index]));
  const versionIndex = new Map(versions.map(({ blob }, index) => [blob, index]));
  const mediaTypes = [...new Set(versions.map(({ mediaType }) => mediaType))];
  const before = new Map(
    entries.flatMap((entry) =>
      (entry.versions ?? []).map(({ blob }, at, all) => [blob, all[at - 1]?.blob] as const),
    ),
  );
  const indexOf = (blob: string | undefined): number => versionIndex.get(blob ?? '') ?? -1;
  const columns = [
    toCbor(rest(state, head, [entries.length, versions.length, mediaTypes], entryIndex)),
    texts(entries.map(({ id }) => id)),
    numbers(
      'u16',
      entries.map(({ name }) => name.length),
    ),
    texts(entries.map(({ name }) => name)),
    numbers(
      'i32',
      entries.map(({ folder }) => entryIndex.get(folder) ?? -1),
    ),
    numbers(
      'i32',
      entries.map((entry) => indexOf(entry.versions?.at(-1)?.blob)),
    ),
    numbers(
      'f64',
      entries.map(({ trashedAtMs }) => trashedAtMs),
    ),
    texts(versions.map(({ blob }) => blob)),
    numbers(
      'u16',
      versions.map(({ digest }) => digest.length),
    ),
    texts(versions.map(({ digest }) => digest)),
    numbers(
      'i32',
      versions.map(({ mediaType }) => mediaTypes.indexOf(mediaType)),
    ),
    numbers(
      'i32',
      versions.map(({ blob }) => indexOf(before.get(blob))),
    ),
    ...(['epoch', 'partBytes'] as const).map((key) =>
      numbers(
        'i32',
        versions.map((version) => version[key]),
      ),
    ),
    ...(['sizeBytes', 'sealedBytes', 'modifiedAtMs', 'addedAtMs'] as const).map((key) =>
      numbers(
        'f64',
        versions.map((version) => version[key]),
      ),
    ),
  ];
  return concat(utf8('HKS1'), new Uint8Array(4), ...columns.map(column));
}

// Column 1.
function rest(
  state: State,
  head: { readonly seq: number; readonly hash: Uint8Array },
  counts: readonly unknown[],
  entryIndex: ReadonlyMap<string, number>,
): unknown[] {
  const [, ...laterInboxKeys] = state.inboxKeys;
  return [
    head.seq,
    head.hash,
    counts,
    state.skipped,
    state.genesis === undefined ? [] : [written(state.genesis)],
    laterInboxKeys.map(({ inbox, atMs, device = '', seq }) => [
      written({ kind: 'inbox-key', inbox, atMs }),
      device,
      seq,
    ]),
    state.keyring === undefined ? [] : [written(state.keyring)],
    state.snapshot === undefined ? [] : [written({ kind: 'snapshot', snapshot: state.snapshot })],
    state.base === undefined
      ? []
      : [written({ kind: 'snapshot', snapshot: state.base.snapshot }), state.base.seq],
    [...state.devices.values()].map(({ enrolment, enrolledSeq, revoked }) => [
      written(enrolment),
      enrolledSeq,
      ...(revoked === undefined ? [] : [revoked.seq, revoked.since]),
    ]),
    [...state.heartbeats].map(([device, heartbeat]) => [device, written(heartbeat)]),
    [...state.unpurged],
    [...state.entries.values()]
      .filter(({ tags }) => tags.length > 0)
      .map(({ id, tags }) => [entryIndex.get(id), tags]),
    [state.oldestInboxEpoch, erasedGroups(state)],
    [...state.hidden].map(([id, device]) => [entryIndex.get(id), device]),
    [...state.gone],
    state.epochs.map(({ turn, seq }) => [written(turn), seq]),
  ];
}

function erasedGroups({ erased }: State): unknown[] {
  const epochs = [...new Set(erased.values())];
  return epochs.map((epoch) => {
    const ids = [...erased.keys()].filter((id) => erased.get(id) === epoch);
    return [epoch, concat(...ids.map((id) => Buffer.from(id, 'base64url')))];
  });
}
