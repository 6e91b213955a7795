import { expect } from 'vitest';
import { HalfkeyError, type ErrorCode } from '../../src/lib/errors.ts';

/** The error that a promise rejects with, which must be Halfkey's. */
export async function refusal(promise: Promise<unknown>): Promise<HalfkeyError> {
  const outcome: unknown = await promise.then(
    () => 'nothing was refused',
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(HalfkeyError);
  return outcome as HalfkeyError;
}

/** The code that a promise is refused with. */
export async function refusalCode(promise: Promise<unknown>): Promise<ErrorCode> {
  return (await refusal(promise)).code;
}
