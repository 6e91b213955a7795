import type { BlobId } from '$contract/ids.ts';
import type { Bytes } from '../bytes.ts';
import type { Broker } from '../remote/broker.ts';
import { isLineAllowed, onLineChange } from '../line.ts';
import { put } from '../remote/s3.ts';
import type { Database, StoredTransferSettings } from '../store/database.ts';
import { keptRecords } from '../store/kept-records.ts';
import { freeBytes } from '../store/opfs.ts';
import { opfsParts } from '../store/part-files.ts';
import { PARALLEL, readTransferSettings, saveTransferSettings } from '../store/transfer-settings.ts';
import { uploadRecords, type UploadRecords } from '../store/upload-records.ts';
import type { OpenVault } from '../vault/open-vault.ts';
import type { Adopter } from './adoption/adopting.ts';
import { Keeping } from './download/keeping.ts';
import { downloadsBytes } from './download/sink.ts';
import { Semaphore } from '../concurrency/semaphore.ts';
import type { Reporter } from './transfer-tracker.ts';
import { Connection } from './connection.ts';
import type { Connections } from './holdup.ts';
import { joinUploadNews, type UploadNews } from './upload/upload-news.ts';
import type { UploadDeps } from './upload/upload-item.ts';
import { liveGrant } from '../vault/open-vault.ts';
import { PutUrls } from './upload/put-urls.ts';
import { Uploads } from './upload/uploads.ts';

export interface DeviceTransfersDeps {
  readonly vault: () => OpenVault;
  readonly broker: Broker;
  readonly reporter: Reporter;
  readonly adopter: Adopter;
  readonly folders: UploadDeps['folders'];
  readonly nowMs: () => number;
  readonly openDraft: UploadDeps['openDraft'];
  /** Something more waits for a code: in the inbox, or here. */
  readonly onWaiting: () => void;
  /** What is kept on this device is another now. */
  readonly onKept: () => void;
  /** A failure that no command led to, and that trying again does not mend. */
  readonly onFailed: (error: unknown) => void;
}

/** The uploads and kept files on this device, as long as an account is signed in here. */
export class DeviceTransfers {
  readonly uploads: Uploads;
  readonly keeping: Keeping;
  readonly #database: Database;
  readonly #records: UploadRecords;
  readonly #news: UploadNews;
  readonly #connection: Connections;
  readonly #gate = new Semaphore(PARALLEL.usual);
  readonly #tinyGate = new Semaphore(PARALLEL.most);
  readonly #stopListening: () => void;
  #settings: StoredTransferSettings = { parallel: PARALLEL.usual, wifiOnly: false };

  constructor(database: Database, deps: DeviceTransfersDeps) {
    const { vault, broker, reporter, adopter, folders, nowMs, openDraft, onWaiting, onKept, onFailed } = deps;
    const { locks } = navigator;
    this.#database = database;
    this.#news = joinUploadNews((message) => {
      const heard = message.kind === 'kept' ? this.keeping.reload() : this.uploads.hear(message);
      heard.catch(onFailed);
    });
    const isAllowed = () => isLineAllowed(this.#settings);
    const options = {
      isAllowed,
      isPatient: true,
      onWaiting: () => {
        this.uploads.lineChanged();
      },
    };
    const connection = { broker: new Connection(options), store: new Connection(options) };
    this.#connection = connection;
    this.#stopListening = onLineChange(() => {
      this.wake();
    });
    const records = uploadRecords(database);
    this.#records = records;
    const grant = () => liveGrant(vault());
    const urls = new PutUrls(broker, grant, () => this.uploads.isMoreComing('send'));
    const gates = { gate: this.#gate, tinyGate: this.#tinyGate };
    const sending = { broker, urls, put, records, connection, ...gates, grant };
    const news = this.#news;
    const files = opfsParts('uploads');
    const outside = { vault, broker, records, files, sending, locks, news };
    const free = async () => freeBytes(await this.recordedBytes());
    const uploadDeps: UploadDeps = { ...outside, freeBytes: free, folders, nowMs, openDraft };
    this.uploads = new Uploads(uploadDeps, reporter, adopter, onWaiting);
    this.keeping = new Keeping({
      vault,
      records: keptRecords(database),
      files: opfsParts('kept'),
      locks,
      onChange: () => {
        onKept();
        news.tell({ kind: 'kept' });
      },
      onShown: onKept,
    });
  }

  /** Takes up what is stored here. */
  async resume(): Promise<void> {
    this.#apply(await readTransferSettings(this.#database));
    await Promise.all([this.uploads.resume(), this.keeping.resume()]);
  }

  /** What has been put into the inbox from here, or will be, for a blob. */
  async inboxRecord(blob: string): Promise<Bytes | undefined> {
    const upload = await this.#records.read(blob);
    return upload && upload.state !== 'capturing' ? upload.inboxRecord : undefined;
  }

  /** Records of what S3 has, and the inbox has not: it had no room for them, or is just being told. */
  async waitingRecords(): Promise<{ blob: BlobId; record: Bytes }[]> {
    const uploads = await this.#records.list();
    return uploads.flatMap((upload) =>
      upload.state === 'uploaded' ? [{ blob: upload.blob, record: upload.inboxRecord }] : [],
    );
  }

  /**
   * Bytes of all files that are stored on this device: on their way up, kept here, and downloads that the browser is to
   * be given.
   */
  async recordedBytes(): Promise<number> {
    return this.uploads.restingBytes() + this.keeping.total().sizeBytes + (await downloadsBytes());
  }

  /** The journal has changed. */
  async settle(): Promise<void> {
    await Promise.all([this.uploads.settle(), this.keeping.settle()]);
  }

  /** Something has changed outside: what waits for the network tries now. */
  wake(): void {
    this.#connection.broker.wake();
    this.#connection.store.wake();
  }

  get settings(): StoredTransferSettings {
    return this.#settings;
  }

  /** @throws {HalfkeyError} `device_full` */
  async set(settings: StoredTransferSettings): Promise<void> {
    this.#apply(await saveTransferSettings(this.#database, settings));
  }

  /** No account is on this device any more: all stops where it stands, and what is stored stays. */
  close(): void {
    this.#stopListening();
    this.uploads.close();
    this.keeping.close();
    this.#news.close();
  }

  #apply(settings: StoredTransferSettings): void {
    this.#settings = settings;
    this.#gate.places = settings.parallel;
    // Who wants fewer than usual wants few of these, too.
    this.#tinyGate.places = settings.parallel < PARALLEL.usual ? settings.parallel : PARALLEL.most;
    this.wake();
  }
}
