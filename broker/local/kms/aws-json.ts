import * as v from 'valibot';
import type { Principal } from '../principal.ts';
import { Refusal } from '../refusal.ts';

/** An answer of AWS's JSON protocols 1.0 and 1.1; a failed one has `__type` and `message`. */
interface JsonAnswer {
  /** HTTP status. */
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * Answers one request. Never rejects: bad input is a 4xx, and a fault of this machine (its disk) a 500.
 * @param target the header `X-Amz-Target`, such as `TrentService.Decrypt`
 * @param body the request's body as it came; at most 256 KiB are read
 * @param principal who signed it; undefined when it is not signed
 */
export type JsonHandler = (
  target: string,
  body: Uint8Array,
  principal: Principal | undefined,
) => Promise<JsonAnswer>;

type Output = Readonly<Record<string, unknown>>;
/** One operation; `invalid` makes the refusal of an input that does not fit. */
export type Operation = (
  input: unknown,
  principal: Principal | undefined,
  invalid: (message: string) => Refusal,
) => Output | Promise<Output>;

const MAX_BODY_BYTES = 256 * 1024;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Ties a schema to what is done with the input that fits it. */
export function operation<T extends v.GenericSchema>(
  schema: T,
  run: (input: v.InferOutput<T>, principal: Principal | undefined) => Output | Promise<Output>,
): Operation {
  return (input, principal, invalid) => {
    const parsed = v.safeParse(schema, input, { abortEarly: true });
    if (parsed.success) return run(parsed.output, principal);
    const [issue] = parsed.issues;
    // Built by hand: valibot's own message quotes what it received, which may be a plaintext or a token.
    throw invalid(`at ${v.getDotPath(issue) ?? 'the top'}: expected ${issue.expected ?? 'another value'}`);
  };
}

/**
 * Makes the handler of a service.
 * @param faults AWS's names, different from service to service, for an input that does not fit and for a fault of its
 *   own
 */
export function jsonService(
  prefix: string,
  operations: ReadonlyMap<string, Operation>,
  faults: { readonly invalid: string; readonly internal: string },
): JsonHandler {
  const invalid = (message: string): Refusal => new Refusal(400, faults.invalid, message);
  return async (target, body, principal) => {
    try {
      const found = target.startsWith(prefix) ? operations.get(target.slice(prefix.length)) : undefined;
      if (found === undefined) throw new Refusal(400, 'UnknownOperationException', 'no such operation');
      return { status: 200, body: await found(parseBody(body), principal, invalid) };
    } catch (error) {
      if (error instanceof Refusal) return failed(error.status, error.code, error.message);
      return failed(500, faults.internal, 'the request could not be completed');
    }
  };
}

function failed(status: number, code: string, message: string): JsonAnswer {
  return { status, body: { __type: code, message } };
}

function parseBody(body: Uint8Array): unknown {
  if (body.length > MAX_BODY_BYTES) {
    throw serialization(`expected at most ${String(MAX_BODY_BYTES)} bytes, got ${String(body.length)}`);
  }
  try {
    return JSON.parse(utf8.decode(body)) as unknown;
  } catch {
    throw serialization('expected a JSON document');
  }
}

function serialization(message: string): Refusal {
  return new Refusal(400, 'SerializationException', message);
}

/** Schema of binary in JSON: padded base64 in its one spelling, `min` to `max` bytes of content. */
export function base64Bytes(min: number, max: number) {
  const expected = `base64 of ${String(min)} to ${String(max)} bytes`;
  return v.pipe(
    v.string(),
    v.maxLength(Math.ceil(max / 3) * 4),
    v.transform((text) => ({ text, bytes: new Uint8Array(Buffer.from(text, 'base64')) })),
    v.check(({ text, bytes }) => Buffer.from(bytes).toString('base64') === text, expected),
    v.transform(({ bytes }) => bytes),
    v.check((bytes) => bytes.length >= min && bytes.length <= max, expected),
  );
}
