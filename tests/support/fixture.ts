import { afterAll, beforeAll } from 'vitest';

/**
 * Something that the test file that calls this needs: it is started before the first test, and stopped behind the last,
 * in the opposite order of several.
 * @param timeoutMs for either; the project's `hookTimeout` when absent
 * @returns what `start` comes to, to be used as soon as hooks and tests run
 */
export function setUp<Value extends object>(
  start: () => Value | Promise<Value>,
  stop: (value: Value) => unknown,
  timeoutMs?: number,
): Value {
  let value: Value | undefined;
  beforeAll(async () => {
    value = await start();
  }, timeoutMs);
  afterAll(async () => {
    // What has not been started is not there to be stopped.
    if (value) await stop(value);
  }, timeoutMs);
  return later(() => {
    if (!value) throw new Error('expected what is set up here to have been started');
    return value;
  });
}

/** An object that is there before what it stands for. */
function later<Value extends object>(now: () => Value): Value {
  const nothing: Partial<Value> = {};
  return new Proxy(nothing as Value, {
    get(_, name) {
      const value = now();
      const member: unknown = Reflect.get(value, name);
      return typeof member === 'function' ? (member.bind(value) as unknown) : member;
    },
    set: (_, name, member) => Reflect.set(now(), name, member),
    // For the spread.
    ownKeys: () => Reflect.ownKeys(now()),
    getOwnPropertyDescriptor: (_, name) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(now(), name);
      return descriptor && { ...descriptor, configurable: true };
    },
  });
}
