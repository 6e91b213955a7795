import { groupedChanges } from './grouped-changes.ts';
import {
  writing,
  type CapturingUpload,
  type Database,
  type SealedUpload,
  type StoredPart,
  type StoredUpload,
} from './database.ts';

/** What of uploads is stored on this device, besides their ciphertext. Every write is on the disk when it resolves. */
export interface UploadRecords {
  /** All, the oldest first. */
  list(): Promise<StoredUpload[]>;
  /** @returns undefined when there is none */
  read(blob: string): Promise<StoredUpload | undefined>;
  /** @throws {HalfkeyError} `device_full`, `device_state_lost` */
  save(upload: StoredUpload): Promise<void>;
  /** All of its ciphertext has been made. @returns undefined when it was removed meanwhile, and then it stays so */
  seal(
    blob: string,
    made: Pick<SealedUpload, 'inboxEpoch' | 'partDigests' | 'inboxRecord'>,
  ): Promise<SealedUpload | undefined>;
  /** It has come further. @returns undefined when it was removed meanwhile, and then it stays so */
  advance(blob: string, to: Exclude<SealedUpload['state'], 'sealed'>): Promise<SealedUpload | undefined>;
  /** S3 takes its parts under this id. @returns whether it is still stored here */
  beginMultipart(blob: string, uploadId: string): Promise<boolean>;
  /** @returns undefined when it was removed meanwhile */
  pause(blob: string, isPaused: boolean): Promise<StoredUpload | undefined>;
  /** The journal has the folder that it is for. */
  folderKnown(blob: string): Promise<void>;
  /**
   * What was made of it is gone, here or in S3: it has to be captured again.
   * @returns undefined when it was removed meanwhile
   */
  startOver(blob: string): Promise<CapturingUpload | undefined>;
  /** With all that is said of its parts. One that is not there is fine. */
  remove(blob: string): Promise<void>;
  /** @throws {HalfkeyError} `device_full`, `device_state_lost` */
  savePart(blob: string, part: StoredPart): Promise<void>;
  /** In the order of their numbers. */
  parts(blob: string): Promise<StoredPart[]>;
}

/**
 * Where an upload may go to. Whatever may be tried a second time, by another tab or after a crash, leads to itself too.
 */
const TRANSITIONS: Record<StoredUpload['state'], readonly StoredUpload['state'][]> = {
  capturing: ['sealed', 'capturing'],
  // What is sent while it is captured has no `uploading`; what is streamed once more is sealed once more.
  sealed: ['sealed', 'uploading', 'uploaded', 'capturing'],
  uploading: ['sealed', 'uploading', 'uploaded', 'capturing'],
  // S3 may have swept it before anybody took it in.
  uploaded: ['saved', 'uploading', 'capturing'],
  saved: [],
};

/** @throws TypeError when nothing leads there: a fault of this code */
function moved(upload: StoredUpload, to: StoredUpload['state']): StoredUpload {
  if (!TRANSITIONS[upload.state].includes(to))
    throw new TypeError(`no upload goes from ${upload.state} to ${to}`);
  return upload;
}

export function uploadRecords(database: Database): UploadRecords {
  const changes = groupedChanges(database);

  /** @returns undefined if there is no record, and then none is made */
  function change<After extends StoredUpload>(
    blob: string,
    to: (before: StoredUpload) => After,
  ): Promise<After | undefined> {
    return changes(blob, async ({ uploads }) => {
      const before = await uploads.get(blob);
      const after = before && to(before);
      if (after) await uploads.put(after, blob);
      return after;
    });
  }

  return {
    async list() {
      const all = await database.getAll('uploads');
      return all.sort((a, b) => a.capturedAtMs - b.capturedAtMs);
    },
    read: (blob) => database.get('uploads', blob),
    save: (upload) =>
      changes(upload.blob, async ({ uploads }) => {
        await uploads.put(upload, upload.blob);
      }),
    seal: (blob, made) =>
      change(blob, (before) => ({ ...moved(before, 'sealed'), ...made, state: 'sealed' })),
    advance: (blob, to) =>
      change(blob, (before) => {
        // It has been sealed on its way to each of these.
        const sealed = moved(before, to) as SealedUpload;
        return { ...sealed, state: to };
      }),
    beginMultipart: async (blob, uploadId) =>
      (await change(blob, (before) => ({ ...before, uploadId }))) !== undefined,
    pause: (blob, isPaused) =>
      change(blob, ({ isPaused: _, ...before }) => ({ ...before, ...(isPaused && { isPaused }) })),
    async folderKnown(blob) {
      await change(blob, ({ awaitsFolder, ...before }) => before);
    },
    startOver: (blob) =>
      change(blob, (before): CapturingUpload => {
        const { uploadId, ...rest } = moved(before, 'capturing');
        if (rest.state === 'capturing') return rest;
        const { partDigests, inboxRecord, ...begun } = rest;
        return { ...begun, state: 'capturing' };
      }),
    remove: (blob) =>
      changes(blob, async ({ uploads, parts }) => {
        await Promise.all([uploads.delete(blob), parts.delete(partsOf(blob))]);
      }),
    async savePart(blob, part) {
      await writing(() => database.put('parts', part, [blob, part.partNumber]));
    },
    parts: (blob) => database.getAll('parts', partsOf(blob)),
  };
}

function partsOf(blob: string): IDBKeyRange {
  return IDBKeyRange.bound([blob, 0], [blob, Number.POSITIVE_INFINITY]);
}
