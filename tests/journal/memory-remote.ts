import { readSegmentHead } from '$contract/segment.ts';
import type { Bytes } from '../../src/lib/bytes.ts';
import { sha256 } from '../../src/lib/crypto/digest.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { JournalCache, JournalRemote } from '../../src/lib/journal/ports.ts';
import type { JournalHead } from '../../src/lib/journal/entries/segment.ts';

/** What happens to one request: it is lost on its way, or its answer is. */
export type Fault = 'before' | 'after' | undefined;

const unreachable = (): HalfkeyError => new HalfkeyError('broker_unreachable', 'no answer');

/**
 * A remote in memory: a segment is written if its place is free and next, in one step, as S3's conditional PUT does.
 */
export class MemoryRemote implements JournalRemote {
  readonly log: Bytes[] = [];
  readonly pages = new Map<string, Bytes>();
  /** Segments that were written, and requests that came. */
  appends = 0;
  reads = 0;
  segmentsPerRead = 256;
  /** Asked at each request; the default lets all through. */
  faultOf: (request: 'read' | 'append' | 'putPages' | 'getPage') => Fault = () => undefined;
  /** How many turns of the event loop a request takes on its way. */
  turnsOf: () => number = () => 1;
  /** Changes what a read gives, as a hostile bucket would. */
  tamper: (seq: number, bytes: Bytes) => Bytes | undefined = (_, bytes) => bytes;
  /** Overrides the head that reads tell. */
  toldHead: JournalHead | undefined;

  async read(fromSeq: number): Promise<{ head: JournalHead; segments: Bytes[] }> {
    return this.#through('read', async () => {
      this.reads++;
      const last = this.log.at(-1);
      if (!last) throw new HalfkeyError('not_found', 'no journal');
      const head = this.toldHead ?? { seq: this.log.length - 1, hash: await sha256(last) };
      const segments: Bytes[] = [];
      for (let seq = fromSeq; seq < Math.min(head.seq + 1, fromSeq + this.segmentsPerRead); seq++) {
        const stored = this.log[seq];
        const bytes = stored && this.tamper(seq, stored);
        if (!bytes) break;
        segments.push(new Uint8Array(bytes));
      }
      return { head, segments };
    });
  }

  async append(segment: Bytes): Promise<JournalHead> {
    return this.#through('append', async () => {
      const hash = await sha256(segment);
      const seq = readSegmentHead(segment)?.seq ?? -1;
      if (seq !== this.log.length) throw new HalfkeyError('head_changed', 'the place is taken');
      this.log.push(new Uint8Array(segment)); // No await between check and write.
      this.appends++;
      return { seq, hash };
    });
  }

  async putPages(seq: number, pages: { page: string; bytes: Bytes }[]): Promise<void> {
    return this.#through('putPages', () => {
      for (const { page, bytes } of pages) this.pages.set(`${String(seq)}/${page}`, new Uint8Array(bytes));
      return Promise.resolve();
    });
  }

  async getPage(seq: number, page: string): Promise<Bytes> {
    return this.#through('getPage', () => {
      const bytes = this.pages.get(`${String(seq)}/${page}`);
      if (!bytes) throw new HalfkeyError('store_unreachable', 'no such page');
      return Promise.resolve(new Uint8Array(bytes));
    });
  }

  /** Another remote with the same content, which goes its own way from here. */
  fork(): MemoryRemote {
    const other = new MemoryRemote();
    other.log.push(...this.log);
    for (const [name, bytes] of this.pages) other.pages.set(name, bytes);
    return other;
  }

  async #through<Answer>(
    request: 'read' | 'append' | 'putPages' | 'getPage',
    effect: () => Promise<Answer>,
  ): Promise<Answer> {
    const fault = this.faultOf(request);
    for (let turn = this.turnsOf(); turn > 0; turn--) await Promise.resolve();
    if (fault === 'before') throw unreachable();
    const answer = await effect();
    if (fault === 'after') throw unreachable();
    return answer;
  }
}

/** One record in memory, for any number of tabs. */
export class MemoryCache implements JournalCache {
  record: Bytes | undefined;
  saves = 0;
  #turn: Promise<unknown> = Promise.resolve();

  load(): Promise<Bytes | undefined> {
    return Promise.resolve(this.record);
  }

  save(sealed: Bytes, mayReplace: (stored: Bytes) => Promise<boolean>): Promise<void> {
    const saving = this.#turn.then(async () => {
      if (this.record && !(await mayReplace(this.record))) return;
      this.record = sealed;
      this.saves++;
    });
    this.#turn = saving.catch(() => undefined);
    return saving;
  }
}
