import type { InboxKey, Operation, Snapshot, Version } from './operations.ts';

type Enrolment = Extract<Operation, { kind: 'device-enrol' }>;
type Genesis = Extract<Operation, { kind: 'genesis' }>;
type Heartbeat = Extract<Operation, { kind: 'heartbeat' }>;
type Turn = Extract<Operation, { kind: 'epoch' }>;
type Keyring = Extract<Operation, { kind: 'keyring' }>;

/** A file or a folder. */
export interface Entry {
  readonly id: string;
  folder: string;
  name: string;
  /** Oldest first; undefined for a folder. */
  readonly versions: Version[] | undefined;
  /** 0 outside the trash. */
  trashedAtMs: number;
  tags: readonly string[];
}

/** An inbox key, and when it was made if that is known. */
interface PublishedInboxKey {
  readonly inbox: InboxKey;
  readonly atMs: number | undefined;
  /** undefined for the identity key. */
  readonly device: string | undefined;
  readonly seq: number;
}

interface Device {
  readonly enrolment: Enrolment;
  readonly enrolledSeq: number;
  revoked: { readonly seq: number; readonly since: number } | undefined;
}

/** Section 11.5: what the segments come to. Maps keep the order of coming. */
export interface State {
  genesis: Genesis | undefined;
  readonly inboxKeys: PublishedInboxKey[];
  /** Section 13.4: that of the oldest key that is not retired. */
  oldestInboxEpoch: number;
  keyring: Keyring | undefined;
  snapshot: Snapshot | undefined;
  /** Section 12: the newest that the identity key has named, and where. */
  base: { readonly snapshot: Snapshot; readonly seq: number } | undefined;
  readonly devices: Map<string, Device>;
  readonly heartbeats: Map<string, Heartbeat>;
  readonly entries: Map<string, Entry>;
  /** In the order of coming, of all files. */
  readonly versions: Version[];
  readonly unpurged: Set<string>;
  /** Section 11.5: files that are purged and not erased, each with the device that did it. */
  readonly hidden: Map<string, string>;
  /** Blobs of versions that are said to be erased. */
  readonly gone: Set<string>;
  readonly epochs: { readonly turn: Turn; readonly seq: number }[];
  /** Section 11.5: ids that are not taken again, each with the newest inbox epoch when it went. */
  readonly erased: Map<string, number>;
  skipped: number;
}

export const emptyState = (): State => ({
  genesis: undefined,
  inboxKeys: [],
  oldestInboxEpoch: 0,
  keyring: undefined,
  snapshot: undefined,
  base: undefined,
  devices: new Map(),
  heartbeats: new Map(),
  entries: new Map(),
  versions: [],
  unpurged: new Set(),
  hidden: new Map(),
  gone: new Set(),
  epochs: [],
  erased: new Map(),
  skipped: 0,
});
