import { concat, fromB64Url, toB64Url, type Bytes } from '../../bytes.ts';
import type { FoldedVault, Heartbeat, PublishedInboxKey } from './folded-vault.ts';
import { decodeOperations, encodeOperation } from '../entries/operation-codec.ts';
import type { Operation } from '../entries/operations.ts';
import type { JournalHead } from '../entries/segment.ts';

/** Sizes of the tables, and what their columns refer to. */
export interface StateCounts {
  readonly entries: number;
  readonly versions: number;
  readonly mediaTypes: readonly string[];
}

/** What is read back of the part of a state that is not in columns. */
export interface StateMeta {
  readonly head: JournalHead;
  readonly counts: StateCounts;
  readonly fill: (state: FoldedVault) => void;
}

type Row = readonly unknown[];

const ID_BYTES = 16;

/**
 * Everything but the tables, as an array of arrays. What an operation said is kept as that operation, so that there is one
 * encoding of a device, an inbox key, a keyring, and one check of it.
 */
export function writeMeta(
  state: FoldedVault,
  head: JournalHead,
  { entries, versions, mediaTypes, newEntry }: StateCounts & { newEntry: Int32Array },
): Row {
  const { genesis, keyring, snapshot, inboxKeys } = state;
  const [firstInboxKey, ...laterInboxKeys] = inboxKeys;
  const one = (operation: Operation | undefined): Row => (operation ? [encodeOperation(operation)] : []);
  return [
    head.seq,
    head.hash,
    [entries, versions, mediaTypes],
    state.skippedOperations,
    one(genesis && firstInboxKey && { kind: 'genesis', ...genesis, inbox: firstInboxKey }),
    laterInboxKeys.flatMap(({ atMs, ...inbox }) => one({ kind: 'inbox-key', inbox, atMs })),
    one(keyring && { kind: 'keyring', ...keyring }),
    one(snapshot && { kind: 'snapshot', snapshot }),
    [...state.devices.values()].map((device) => [
      ...one({ kind: 'device-enrol', ...device }),
      device.enrolledSeq,
      ...(device.revokedSeq === undefined ? [] : [device.revokedSeq]),
    ]),
    [...state.heartbeats].map(([device, beat]) => [device, ...one({ kind: 'heartbeat', ...beat })]),
    [...state.unpurged],
    [...state.tags]
      .map(([entry, tags]): [number, Row] => [newEntry[entry] ?? -1, tags])
      .sort(([a], [b]) => a - b),
    ...erasedRow(state),
  ];
}

/** Nothing where there is nothing to say: so states that old journals give are encoded as they were. */
function erasedRow({ oldestInboxEpoch, erased }: FoldedVault): Row {
  if (oldestInboxEpoch === 0 && erased.size === 0) return [];
  const byEpoch = new Map<number, Bytes[]>();
  for (const [id, epoch] of erased) {
    const ids = byEpoch.get(epoch) ?? [];
    byEpoch.set(epoch, ids);
    ids.push(fromB64Url(id));
  }
  return [[oldestInboxEpoch, [...byEpoch].map(([epoch, ids]) => [epoch, concat(...ids)])]];
}

/** @throws {TypeError} when it is not what `writeMeta` writes */
export function readMeta(raw: unknown): StateMeta {
  const [
    seq,
    hash,
    sizes,
    skipped,
    genesis,
    inboxKeys,
    keyring,
    snapshot,
    devices,
    heartbeats,
    unpurged,
    tags,
    ...erased
  ] = row(raw);
  const [entries, versions, mediaTypes] = row(sizes, 3);
  return {
    head: { seq: count(seq), hash: hash32(hash) },
    counts: { entries: count(entries), versions: count(versions), mediaTypes: texts(mediaTypes) },
    fill: (state) => {
      state.skippedOperations = count(skipped);
      const begin = operation(row(genesis, 1)[0], 'genesis');
      const { vault, account, identityPublicKey, atMs, inbox } = begin;
      state.genesis = { vault, account, identityPublicKey, atMs };
      const later = row(inboxKeys).map((item): PublishedInboxKey => {
        const published = operation(item, 'inbox-key');
        return { ...published.inbox, atMs: published.atMs };
      });
      state.inboxKeys.push({ ...inbox, atMs }, ...later);
      for (const item of row(keyring)) {
        const { version, hash: keyringHash } = operation(item, 'keyring');
        state.keyring = { version, hash: keyringHash };
      }
      for (const item of row(snapshot)) state.snapshot = operation(item, 'snapshot').snapshot;
      for (const item of row(devices)) fillDevice(state, row(item));
      for (const item of row(heartbeats)) {
        const [device, beat] = row(item, 2);
        state.heartbeats.set(text(device), heartbeat(operation(beat, 'heartbeat')));
      }
      for (const blob of texts(unpurged)) state.unpurged.add(blob);
      for (const item of row(tags)) {
        const [entry, names] = row(item, 2);
        state.tags.set(count(entry), texts(names));
      }
      if (erased.length > 0) fillErased(state, row(row(erased, 1)[0], 2));
    },
  };
}

function heartbeat({ seq, hash, atMs, inboxEpoch }: Heartbeat): Heartbeat {
  return { seq, hash, atMs, inboxEpoch };
}

function fillErased(state: FoldedVault, [oldestInboxEpoch, groups]: Row): void {
  state.oldestInboxEpoch = count(oldestInboxEpoch);
  for (const item of row(groups)) {
    const [epoch, ids] = row(item, 2);
    if (!(ids instanceof Uint8Array) || ids.length % ID_BYTES !== 0) throw new TypeError('expected ids');
    for (let offset = 0; offset < ids.length; offset += ID_BYTES) {
      state.erased.set(toB64Url(ids.subarray(offset, offset + ID_BYTES)), count(epoch));
    }
  }
}

function fillDevice(state: FoldedVault, [enrolment, enrolledSeq, revokedSeq]: Row): void {
  const { device, publicKey, name, certificate } = operation(enrolment, 'device-enrol');
  state.devices.set(device, {
    device,
    publicKey,
    name,
    certificate,
    enrolledSeq: count(enrolledSeq),
    ...(revokedSeq === undefined ? {} : { revokedSeq: count(revokedSeq) }),
  });
}

function row(raw: unknown, length?: number): Row {
  if (Array.isArray(raw) && (length === undefined || raw.length === length)) return raw as Row;
  throw new TypeError(`expected an array of ${String(length ?? 'any number')} items`);
}

function count(raw: unknown): number {
  if (Number.isSafeInteger(raw) && (raw as number) >= 0) return raw as number;
  throw new TypeError('expected a count');
}

function text(raw: unknown): string {
  if (typeof raw === 'string') return raw;
  throw new TypeError('expected a text');
}

function texts(raw: unknown): string[] {
  return row(raw).map(text);
}

function hash32(raw: unknown): Bytes {
  if (raw instanceof Uint8Array && raw.length === 32) return new Uint8Array(raw);
  throw new TypeError('expected a hash of 32 bytes');
}

function operation<Kind extends Operation['kind']>(
  raw: unknown,
  kind: Kind,
): Extract<Operation, { kind: Kind }> {
  const found = raw instanceof Uint8Array ? decodeOperations(raw, 1).operations[0] : undefined;
  if (found?.kind === kind) return found as Extract<Operation, { kind: Kind }>;
  throw new TypeError(`expected an operation ${kind}`);
}
