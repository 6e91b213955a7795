import { concat, fromB64Url, toB64Url, type Bytes } from '../../bytes.ts';
import type { FoldedVault, Heartbeat, PublishedInboxKey, Revocation } from './folded-vault.ts';
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
/** Of the array that everything but the tables is. */
const ITEMS = 17;
/** Stands for the identity key where a device would be named. */
const BY_IDENTITY = '';

/**
 * Everything but the tables, as an array of arrays. What an operation said is kept as that operation, so that there is
 * one encoding of a device, an inbox key, a keyring, and one check of it.
 */
export function writeMeta(
  state: FoldedVault,
  head: JournalHead,
  { entries, versions, mediaTypes, newEntry }: StateCounts & { newEntry: Int32Array },
): Row {
  const { genesis, keyring, snapshot, base, inboxKeys } = state;
  const [firstInboxKey, ...laterInboxKeys] = inboxKeys;
  const one = (operation: Operation | undefined): Row => (operation ? [encodeOperation(operation)] : []);
  return [
    head.seq,
    head.hash,
    [entries, versions, mediaTypes],
    state.skippedOperations,
    one(genesis && firstInboxKey && { kind: 'genesis', ...genesis, inbox: firstInboxKey }),
    laterInboxKeys.map(({ atMs, writer, seq, ...inbox }) => [
      ...one({ kind: 'inbox-key', inbox, atMs }),
      writer ?? BY_IDENTITY,
      seq,
    ]),
    one(keyring && { kind: 'keyring', ...keyring }),
    one(snapshot && { kind: 'snapshot', snapshot }),
    base ? [...one({ kind: 'snapshot', snapshot: base.snapshot }), base.seq] : [],
    [...state.devices.values()].map((device) => [
      ...one({ kind: 'device-enrol', ...device }),
      device.enrolledSeq,
      ...(device.revoked ? [device.revoked.seq, device.revoked.since] : []),
    ]),
    [...state.heartbeats].map(([device, beat]) => [device, ...one({ kind: 'heartbeat', ...beat })]),
    [...state.unpurged],
    [...state.tags]
      .map(([entry, tags]): [number, Row] => [newEntry[entry] ?? -1, tags])
      .sort(([a], [b]) => a - b),
    erasedRow(state),
    [...state.hidden].map(([entry, by]): [number, string] => [newEntry[entry] ?? -1, by]),
    [...state.gone],
    state.epochs.map(({ seq, ...epoch }) => [...one({ kind: 'epoch', ...epoch }), seq]),
  ];
}

function erasedRow({ oldestInboxEpoch, erased }: FoldedVault): Row {
  const byEpoch = new Map<number, Bytes[]>();
  for (const [id, epoch] of erased) {
    const ids = byEpoch.get(epoch) ?? [];
    byEpoch.set(epoch, ids);
    ids.push(fromB64Url(id));
  }
  return [oldestInboxEpoch, [...byEpoch].map(([epoch, ids]) => [epoch, concat(...ids)])];
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
    base,
    devices,
    heartbeats,
    unpurged,
    tags,
    erased,
    hidden,
    gone,
    epochs,
  ] = row(raw, ITEMS);
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
        const [published, writer, publishedSeq] = row(item, 3);
        const { inbox: key, atMs: madeAtMs } = operation(published, 'inbox-key');
        const device = text(writer);
        return {
          ...key,
          atMs: madeAtMs,
          writer: device === BY_IDENTITY ? undefined : device,
          seq: count(publishedSeq),
        };
      });
      state.inboxKeys.push({ ...inbox, atMs, writer: undefined, seq: 0 }, ...later);
      for (const item of row(keyring)) {
        const { version, hash: keyringHash } = operation(item, 'keyring');
        state.keyring = { version, hash: keyringHash };
      }
      for (const item of row(snapshot)) state.snapshot = operation(item, 'snapshot').snapshot;
      if (row(base).length > 0) {
        const [named, namedSeq] = row(base, 2);
        state.base = { snapshot: operation(named, 'snapshot').snapshot, seq: count(namedSeq) };
      }
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
      fillErased(state, row(erased, 2));
      for (const item of row(hidden)) {
        const [entry, by] = row(item, 2);
        state.hidden.set(count(entry), text(by));
      }
      for (const blob of texts(gone)) state.gone.add(blob);
      for (const item of row(epochs)) {
        const [named, namedSeq] = row(item, 2);
        const { epoch, rotation, hash: pinned, boxes } = operation(named, 'epoch');
        state.epochs.push({ epoch, rotation, hash: pinned, boxes, seq: count(namedSeq) });
      }
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

function fillDevice(state: FoldedVault, [enrolment, enrolledSeq, ...revoked]: Row): void {
  const { device, publicKey, agreementKey, name, certificate } = operation(enrolment, 'device-enrol');
  state.devices.set(device, {
    device,
    publicKey,
    agreementKey,
    name,
    certificate,
    enrolledSeq: count(enrolledSeq),
    ...(revoked.length > 0 && { revoked: revocation(row(revoked, 2)) }),
  });
}

function revocation([seq, since]: Row): Revocation {
  return { seq: count(seq), since: count(since) };
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
