import type { GrantId } from '$contract/ids.ts';
import type { Bytes } from '../../bytes.ts';
import type { Broker } from '../../remote/broker.ts';
import type { Put } from '../../remote/s3.ts';
import type { UploadRecords } from '../../store/upload-records.ts';
import type { Semaphore } from '../../concurrency/semaphore.ts';
import type { Connections } from '../holdup.ts';
import type { PutUrls } from './put-urls.ts';

/** What sending works with. None of it is a key. */
export interface SendingDeps {
  readonly broker: Broker;
  /** For blobs of one part. */
  readonly urls: PutUrls;
  readonly put: (put: Put) => Promise<string>;
  readonly records: UploadRecords;
  /** The ways to broker and store. */
  readonly connection: Connections;
  /** PUTs under way at a time, of all uploads together. */
  readonly gate: Semaphore;
  /** PUTs of tiny blobs: as many as the browser has connections, for it is not bytes that they wait for. */
  readonly tinyGate: Semaphore;
  /** The live grant, which lets a device have more on its way; empty without one. */
  readonly grant: () => { readonly grant?: GrantId };
}

/** One part as it goes over the line. `digest`: SHA-256, 32 bytes. */
export interface ReadyPart {
  readonly body: Blob;
  readonly digest: Bytes;
}

/** Where the parts of an upload come from: this device's files, or what seals them just now. */
export interface PartSupply {
  /** As soon as there is one. @param partNumber 1-based */
  part(partNumber: number): Promise<ReadyPart>;
  /** The digest of a part that was made before; undefined for the others. */
  known(partNumber: number): Bytes | undefined;
  /** Whether a part that was sent can be had once more. */
  readonly isRepeatable: boolean;
}

export interface SendingProgress {
  /** Ciphertext bytes that have left. */
  readonly onSent: (doneBytes: number) => void;
  /** S3 has all parts, whose digests these are; it is asked to put them together once this resolves. */
  readonly onVerifying: (parts: readonly Bytes[]) => Promise<void>;
}
