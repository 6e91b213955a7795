import { Refusal } from '../refusal.ts';

/** Reads lines and runs of bytes from a stream of chunks, without copying the runs. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** True when nothing is left. */
  async ended(): Promise<boolean> {
    return !(await this.#fill());
  }

  /**
   * A line without its CRLF, as Latin-1.
   * @throws {Refusal} 400 when it is longer than `maximumBytes`, or the stream ends inside it
   */
  async line(maximumBytes: number): Promise<string> {
    let text = '';
    for (;;) {
      if (!(await this.#fill())) throw incompleteBody();
      const end = this.#bytes.indexOf(0x0a);
      const piece = this.#bytes.subarray(0, end < 0 ? undefined : end + 1);
      text += Buffer.from(piece).toString('latin1');
      this.#bytes = this.#bytes.subarray(piece.length);
      if (text.length > maximumBytes)
        throw new Refusal(400, 'InvalidRequest', 'a line of the body is too long');
      if (end >= 0) return text.replace(/\r?\n$/, '');
    }
  }

  /** Yields exactly `sizeBytes` bytes, as they come. */
  async *take(sizeBytes: number): AsyncGenerator<Uint8Array> {
    let left = sizeBytes;
    while (left > 0) {
      if (!(await this.#fill())) throw incompleteBody();
      const piece = this.#bytes.subarray(0, left);
      this.#bytes = this.#bytes.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async #fill(): Promise<boolean> {
    while (this.#bytes.length === 0) {
      const next = await this.#source.next();
      if (next.done) return false;
      this.#bytes = next.value;
    }
    return true;
  }
}

const incompleteBody = (): Refusal =>
  new Refusal(400, 'IncompleteBody', 'the body ended before the bytes that it announced');
