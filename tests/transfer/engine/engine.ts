import { PutUrls } from '../../../src/lib/transfer/upload/put-urls.ts';
import type { Put } from '../../../src/lib/remote/s3.ts';
import { putByFetch } from '../../../src/lib/remote/s3.ts';
import type { Broker } from '../../../src/lib/remote/broker.ts';
import type { Database } from '../../../src/lib/store/database.ts';
import { uploadRecords } from '../../../src/lib/store/upload-records.ts';
import { Adopter } from '../../../src/lib/transfer/adoption/adopting.ts';
import { openDraftKey } from '../../../src/lib/transfer/adoption/drafts.ts';
import { InboxAdoption } from '../../../src/lib/transfer/adoption/inbox-adoption.ts';
import { InboxKeys } from '../../../src/lib/transfer/adoption/inbox-keys.ts';
import { Semaphore } from '../../../src/lib/concurrency/semaphore.ts';
import { Connection } from '../../../src/lib/transfer/connection.ts';
import { joinUploadNews } from '../../../src/lib/transfer/upload/upload-news.ts';
import { Uploads } from '../../../src/lib/transfer/upload/uploads.ts';
import type { TransferReport } from '../../../src/lib/protocol/transfer.ts';
import type { Journal } from '../../../src/lib/journal/journal.ts';
import type { NodePerson } from '../../support/node-person.ts';
import type { TestLocks } from '../../support/test-locks.ts';
import type { MemoryFiles } from './memory-files.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';

/** What outlives a tab. */
export interface EngineDeps {
  readonly person: NodePerson;
  readonly journal: Journal;
  readonly database: Database;
  readonly files: MemoryFiles;
  readonly locks: TestLocks;
}

export interface EngineOptions {
  /** Whether a grant is live. */
  readonly isOpen?: () => boolean;
  readonly freeBytes?: number;
  /**
   * Asked before each step that leaves a trace outside of the tab; 1-based. Whether the tab dies there, and on which
   * side of its effect.
   */
  readonly dies?: (step: number, what: string) => 'before' | 'after' | undefined;
}

/** The product's upload engine as one tab has it: it may die at any step, and then nothing more comes of it. */
export class Engine {
  readonly uploads: Uploads;
  readonly adoption: InboxAdoption;
  readonly reports = new Map<string, TransferReport>();
  readonly failures: unknown[] = [];
  refused = 0;
  steps = 0;
  /** Resolves when the tab has died. */
  readonly death: Promise<void>;
  #isDead = false;
  readonly #options: EngineOptions;
  readonly #drop: () => void;
  readonly #listeners = new Set<() => void>();
  #die: () => void = () => undefined;
  readonly #stopWatching: () => void;

  constructor(ground: EngineDeps, options: EngineOptions = {}) {
    this.#options = options;
    this.death = new Promise((resolve) => {
      this.#die = resolve;
    });
    const { person, journal, database, files } = ground;
    const { locks, drop } = ground.locks.client();
    const broker: Broker = {
      call: (route, request, about) =>
        this.#step(route.path, () => person.broker.call(route, request, about)),
    };
    const isOpen = options.isOpen ?? (() => true);
    const everything = ['state', 'head', 'refresh', 'onChange', 'compareHead', 'notes', 'problem'];
    const seen = this.#mortal('journal', this.#sharing(journal), everything);
    const vault = () => person.vault(broker, seen, isOpen);
    const adopter = new Adopter(vault);
    const keys = new InboxKeys(vault);
    const records = this.#mortal('records', uploadRecords(database), ['list', 'read', 'parts']);
    this.adoption = new InboxAdoption({
      ...{ vault, adopter, keys, locks, nowMs: Date.now },
      ownRecord: async (blob) => {
        const upload = await records.read(blob);
        return upload && 'inboxRecord' in upload ? upload.inboxRecord : undefined;
      },
      waitingHere: async () =>
        (await records.list()).flatMap((upload) =>
          upload.state === 'uploaded' ? [{ blob: upload.blob, record: upload.inboxRecord }] : [],
        ),
      onRefused: (count) => {
        this.refused = count;
      },
      onFailed: (error) => this.failures.push(error),
    });
    const connectionOptions = { isAllowed: () => true, isPatient: true };
    const connection = {
      broker: new Connection(connectionOptions),
      store: new Connection(connectionOptions),
    };
    const put = (what: Put) => this.#step('put', () => putByFetch(what));
    const news = joinUploadNews((message) => {
      if (message.kind !== 'kept' && !this.#isDead) void this.uploads.hear(message);
    });
    this.#drop = () => {
      drop();
      news.close();
    };
    const deps = {
      ...{ vault, broker, records, locks, news },
      files: this.#mortal('files', files, ['list', 'read']),
      sending: {
        ...{
          broker,
          put,
          records,
          connection,
          gate: new Semaphore(4),
          tinyGate: new Semaphore(6),
          grant: () => ({}),
        },
        urls: new PutUrls(broker, () => ({})),
      },
      freeBytes: () => Promise.resolve(options.freeBytes),
      nowMs: Date.now,
      folders: { ensure: () => Promise.resolve() },
      openDraft: (upload: Parameters<typeof openDraftKey>[2]) => openDraftKey(vault(), keys, upload),
    };
    const reporter = {
      report: (report: TransferReport) => {
        if (this.#isDead) return;
        this.reports.set(report.transfer, report);
        for (const listener of [...this.#listeners]) listener();
      },
      gone: (transfer: string) => this.reports.delete(transfer),
    };
    this.uploads = new Uploads(deps, reporter, adopter, () => void this.adoption.now());
    this.#stopWatching = journal.onChange(() => {
      if (!this.#isDead) void this.uploads.settle();
    });
  }

  /** The tab is closed, or crashes. */
  crash(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#stopWatching();
    this.#drop();
    this.#die();
  }

  /** The one transfer of this name, as soon as it is in this phase. Fails when it fails. */
  async until(name: string, ...phases: TransferReport['phase'][]): Promise<TransferReport> {
    for (;;) {
      const report = [...this.reports.values()].find((each) => each.name === name);
      if (report && phases.includes(report.phase)) return report;
      if (report?.phase === 'failed') throw new Error(`the upload failed: ${String(report.error?.code)}`);
      if (this.failures.length > 0) throw this.failures[0];
      await new Promise<void>((resolve) => {
        const listener = () => {
          this.#listeners.delete(listener);
          resolve();
        };
        this.#listeners.add(listener);
      });
    }
  }

  /**
   * All tabs of a ground write to one journal, where each has its own in a browser: what a dead one was sending along
   * must not keep the others waiting.
   */
  #sharing(journal: Journal): Journal {
    const died = this.death.then(() => {
      throw new HalfkeyError('session_missing', 'the tab is dead');
    });
    died.catch(() => undefined);
    const append: Journal['append'] = async (intent, along) => {
      try {
        await journal.append(intent, along && ((segment) => Promise.race([along(segment), died])));
      } catch (error) {
        await this.#alive(() => Promise.reject(error as Error));
      }
    };
    return new Proxy(journal, {
      get: (of, property) => {
        if (property === 'append') return append;
        const value: unknown = Reflect.get(of, property, of);
        return typeof value === 'function' ? (value.bind(of) as unknown) : value;
      },
    });
  }

  /** Each method but the named ones is a step. */
  #mortal<Target extends object>(name: string, target: Target, reading: readonly string[]): Target {
    return new Proxy(target, {
      get: (of, property) => {
        const method = Reflect.get(of, property) as (...args: unknown[]) => Promise<unknown>;
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) =>
          reading.includes(String(property))
            ? this.#alive(() => method.apply(of, args))
            : this.#step(`${name}.${String(property)}`, () => method.apply(of, args));
      },
    });
  }

  async #step<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    if (!this.#isDead) this.steps += 1;
    const side = this.#isDead ? undefined : this.#options.dies?.(this.steps, what);
    if (side === 'before') this.crash();
    const result = await this.#alive(work);
    if (side === 'after') this.crash();
    return this.#alive(() => Promise.resolve(result));
  }

  /** What is dead neither does nor learns anything any more. */
  #alive<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#isDead ? new Promise<never>(() => undefined) : work();
  }
}
