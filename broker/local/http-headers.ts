import type { IncomingMessage } from 'node:http';

/**
 * A request's headers as they stood on the wire. Node's own view drops or merges duplicates, which would hide a
 * header that was added beside a signed one.
 */
export class WireHeaders {
  readonly #values = new Map<string, string[]>();

  constructor(rawHeaders: readonly string[]) {
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const name = (rawHeaders[index] ?? '').toLowerCase();
      const value = rawHeaders[index + 1] ?? '';
      const values = this.#values.get(name);
      if (values) values.push(value);
      else this.#values.set(name, [value]);
    }
  }

  static of(request: IncomingMessage): WireHeaders {
    return new WireHeaders(request.rawHeaders);
  }

  /** Lower-case names. */
  names(): string[] {
    return [...this.#values.keys()];
  }

  /** All values of a header, in order of appearance. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** A header's value; several are joined by a comma, as HTTP has it. Undefined when absent. */
  get(name: string): string | undefined {
    return this.#values.get(name)?.join(',');
  }
}

/** A request's target, taken apart without any normalisation. */
export interface Target {
  /** Percent-decoded, beginning with `/`; `//`, `.` and `..` are left as they are, keys may hold them. */
  readonly path: string;
  readonly query: Query;
}

/** Query parameters, decoded, in order; a name may occur twice. */
export class Query {
  readonly pairs: readonly (readonly [name: string, value: string])[];

  constructor(pairs: readonly (readonly [name: string, value: string])[]) {
    this.pairs = pairs;
  }

  has(name: string): boolean {
    return this.pairs.some(([other]) => other === name);
  }

  /** The first value; undefined when the parameter is absent. */
  get(name: string): string | undefined {
    return this.pairs.find(([other]) => other === name)?.[1];
  }

  count(name: string): number {
    return this.pairs.filter(([other]) => other === name).length;
  }
}

/** @returns undefined when a percent escape, or the UTF-8 in it, is malformed */
export function parseTarget(url: string): Target | undefined {
  const mark = url.indexOf('?');
  const rawPath = mark < 0 ? url : url.slice(0, mark);
  const rawQuery = mark < 0 ? '' : url.slice(mark + 1);
  if (!rawPath.startsWith('/')) return undefined;
  try {
    const pairs = rawQuery
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => {
        const equals = pair.indexOf('=');
        const name = equals < 0 ? pair : pair.slice(0, equals);
        const value = equals < 0 ? '' : pair.slice(equals + 1);
        return [decodeQuery(name), decodeQuery(value)] as const;
      });
    return { path: decodeURIComponent(rawPath), query: new Query(pairs) };
  } catch {
    return undefined;
  }
}

const decodeQuery = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));
