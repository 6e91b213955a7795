import { createHash } from 'node:crypto';
import type { Head } from '../../contract/accounts.ts';
import * as v from 'valibot';
import { DeviceId, type VaultId } from '../../contract/ids.ts';
import type { NamedSnapshot } from '../../contract/vault-log.ts';
import { LIMITS } from '../../contract/limits.ts';
import { readSegmentHead, type SegmentHead } from '../../contract/segment.ts';
import type { VaultObjects } from '../../ports/vaults.ts';
import { BrokerProblem } from '../problem.ts';
import { readInOrder } from './read-in-order.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Appended } from './append-pace.ts';
import type { Room } from './room.ts';
import type { VaultRecord, VaultRecords } from './vault-record.ts';

/** The journal as objects `log/<seq>`; what the segments say is sealed, and none of the broker's business. */
export interface Log {
  /** The head as the objects say it; moves the record on where it lags behind. */
  head(vault: VaultId, known: Head): Promise<Head>;
  /**
   * Writes a segment at the place that it names itself.
   * @param admit asked, with the record as it counts what comes before the place, right before the segment is written
   * @param snapshot whose pages it names
   * @returns that place, also when the same bytes were there already
   * @throws BrokerProblem `input_malformed` when it is not a segment; `head_changed` when it does not follow the head,
   *   or another one is at its place; `store_full`
   */
  append(
    vault: VaultId,
    known: Head,
    segment: Uint8Array,
    admit?: (record: VaultRecord | undefined) => Promise<void>,
    snapshot?: NamedSnapshot,
  ): Promise<Head>;
  /**
   * Segments from `from` (0-based) on, in order, as many as LIMITS allow, and the head; at least one where there is
   * one.
   */
  read(vault: VaultId, known: Head, from: number): Promise<{ head: Head; segments: Uint8Array[] }>;
}

export interface LogDeps {
  readonly objects: VaultObjects;
  readonly records: VaultRecords;
  readonly room: Pick<Room, 'take'>;
  readonly clock: Clock;
  /** Told of each head that this process has seen come about. */
  readonly announce: (vault: VaultId, head: Head) => void;
}

const ZEROS_32 = Buffer.alloc(32);
const ZEROS_16 = Buffer.alloc(16);

export function createLog({ objects, records, room, clock, announce }: LogDeps): Log {
  async function advance(
    vault: VaultId,
    head: Head,
    appended: readonly Appended[],
    named?: Parameters<VaultRecords['advance']>[4],
  ): Promise<VaultRecord> {
    const stored = await records.advance(vault, head, appended, clock(), named);
    announce(vault, stored.head);
    return stored;
  }

  /** The head as the objects say it: a broker that ended after writing one of them has not moved the record. */
  async function repair(vault: VaultId, known: Head): Promise<{ head: Head; record?: VaultRecord }> {
    let head = known;
    const appended: Appended[] = [];
    for (;;) {
      const bytes = await readExpectedAbsent(vault, logKey(head.seq + 1));
      if (!bytes) break;
      const read = readSegmentHead(bytes);
      // Brokers write none but what follows, so this was put there by somebody else; nothing may be built on it.
      if (!read || !follows(read, head)) throw new BrokerProblem('record_corrupt');
      head = headOf(read.seq, bytes);
      appended.push(...appendedBy(read, bytes));
    }
    if (head.seq === known.seq) return { head };
    const record = await advance(vault, head, appended);
    return { head: record.head, record };
  }

  /**
   * As a rule there is none. A vault's identity is refused what it asks of an object that does not exist, and only a
   * listing tells; so that is asked first.
   */
  async function readExpectedAbsent(vault: VaultId, key: string): Promise<Uint8Array | undefined> {
    const { objects: found } = await objects.list(vault, key, '', 1);
    return found.some((object) => object.key === key) ? objects.read(vault, key) : undefined;
  }

  async function isAt(vault: VaultId, place: Head): Promise<boolean> {
    const there = await objects.read(vault, logKey(place.seq));
    return there !== undefined && hashOf(there) === place.hash;
  }

  return {
    head: async (vault, known) => (await repair(vault, known)).head,
    async append(vault, known, segment, admit, snapshot) {
      const read = parseSegment(segment);
      const place = headOf(read.seq, segment);
      let head = known;
      let record: VaultRecord | undefined;
      // Ahead of what the record says: another broker may have ended before it wrote the record.
      if (read.seq > head.seq + 1) ({ head, record } = { record: undefined, ...(await repair(vault, head)) });
      if (read.seq <= head.seq) {
        if (await isAt(vault, place)) return place;
        throw new BrokerProblem('head_changed');
      }
      if (!follows(read, head)) throw new BrokerProblem('head_changed');
      await admit?.(record);
      const isByIdentity = ZEROS_16.equals(read.writer);
      await room.take(vault, segment.length, isByIdentity ? 'erasing' : 'journal');
      if ((await objects.create(vault, logKey(read.seq), segment)) === 'exists') {
        await repair(vault, head);
        throw new BrokerProblem('head_changed');
      }
      const named = snapshot && { snapshot, isBase: isByIdentity };
      await advance(vault, place, appendedBy(read, segment), named);
      return place;
    },
    async read(vault, known, from) {
      const last = (upTo: number): number => Math.min(upTo, from + LIMITS.segmentsPerRead - 1);
      const readUpTo = (upTo: number): Promise<Uint8Array[]> =>
        readInOrder(last(upTo) - from + 1, LIMITS.segmentBytesPerRead, async (index) => {
          const bytes = await objects.read(vault, logKey(from + index));
          if (!bytes) throw new BrokerProblem('record_corrupt');
          return bytes;
        });
      const [head, early] = await Promise.all([
        // The record is believed where the objects go on beyond this answer anyway.
        last(known.seq) < known.seq ? known : repair(vault, known).then((repaired) => repaired.head),
        readUpTo(known.seq),
      ]);
      // Written since the record was read: a head without any of its segments would look like one that is held back.
      const segments = early.length === 0 && from <= head.seq ? await readUpTo(head.seq) : early;
      return { head, segments };
    },
  };
}

/** @returns the head of a vault's first segment. @throws BrokerProblem `input_malformed` */
export function genesisHead(segment: Uint8Array): Head {
  const read = parseSegment(segment);
  const first = read.seq === 0 && ZEROS_32.equals(read.prevHash) && ZEROS_16.equals(read.writer);
  if (!first) throw malformed();
  return headOf(0, segment);
}

/** @param seq 0-based */
export const logKey = (seq: number): string => `log/${String(seq)}`;

/** SHA-256 of a whole segment, base64url, as heads name it. */
export function hashOf(segment: Uint8Array): string {
  return createHash('sha256').update(segment).digest('base64url');
}

/** What counts as its device's: the identity key's are written with a proof. */
function appendedBy({ writer }: SegmentHead, segment: Uint8Array): Appended[] {
  const device = v.safeParse(DeviceId, Buffer.from(writer).toString('base64url'));
  return ZEROS_16.equals(writer) || !device.success ? [] : [{ device: device.output, bytes: segment.length }];
}

const headOf = (seq: number, segment: Uint8Array): Head => ({ seq, hash: hashOf(segment) });

function parseSegment(segment: Uint8Array): SegmentHead {
  const read = readSegmentHead(segment);
  if (!read || segment.length > LIMITS.maxSegmentBytes) throw malformed();
  return read;
}

function follows(segment: SegmentHead, head: Head): boolean {
  return segment.seq === head.seq + 1 && Buffer.from(segment.prevHash).toString('base64url') === head.hash;
}

const malformed = (): BrokerProblem => new BrokerProblem('input_malformed', { fields: ['segment'] });
