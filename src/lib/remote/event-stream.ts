/** One event of a stream; an event without data is none. */
export interface StreamedEvent {
  readonly name: string;
  readonly data: string;
}

/** Far more than any event that the broker sends. */
const MAX_PENDING_CHARACTERS = 16 * 1024;

/** Reads `text/event-stream` as it comes (HTML Standard, §9.2.6): events by name, and comments as nothing. */
export class EventStreamParser {
  readonly #decoder = new TextDecoder();
  #pending = '';
  #name = '';
  #data: string[] = [];

  /** @throws {RangeError} for a line, or an event, without an end */
  push(bytes: Uint8Array): StreamedEvent[] {
    this.#pending += this.#decoder.decode(bytes, { stream: true });
    const lines = this.#pending.split(/\r\n|\n/);
    this.#pending = lines.pop() ?? '';
    const events = lines.flatMap((line) => this.#read(line));
    const pending = this.#data.reduce((sum, { length }) => sum + length, this.#pending.length);
    if (pending > MAX_PENDING_CHARACTERS) {
      throw new RangeError(`expected at most ${String(MAX_PENDING_CHARACTERS)} characters of an event`);
    }
    return events;
  }

  #read(line: string): StreamedEvent[] {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#name = value;
    if (field === 'data') this.#data.push(value);
    return [];
  }

  #dispatch(): StreamedEvent[] {
    const event = { name: this.#name, data: this.#data.join('\n') };
    const isEvent = this.#data.length > 0;
    [this.#name, this.#data] = ['', []];
    return isEvent ? [event] : [];
  }
}
