import { expect } from 'vitest';
import { createKms } from '../../../../broker/local/kms/kms.ts';
import type { Kms } from '../../../../broker/local/kms/kms.ts';
import type { Authorize, Principal } from '../../../../broker/local/principal.ts';
import { ACCOUNT_ID, ADMINISTRATOR, REGION, VAULT, jsonBody } from '../iam/fixture.ts';

/** Policies that allow whatever is asked. */
export const everything: Authorize = () => true;

/** Opens a KMS of the tests' region and account. */
export function openKms(folder: string, authorize = everything): Promise<Kms> {
  return createKms({ folder, authorize, region: REGION, accountId: ACCOUNT_ID });
}

/** An answer whose members are taken for strings. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, string>>;
}

/** Asks for one operation, as the administrator unless said otherwise. */
export async function call(
  kms: Kms,
  name: string,
  input: unknown,
  principal: Principal = ADMINISTRATOR,
): Promise<Answer> {
  const { status, body } = await kms.handle(`TrentService.${name}`, jsonBody(input), principal);
  return { status, body: body as Answer['body'] };
}

/** The name of the error of a request that has to be refused with 400. */
export async function fault(kms: Kms, name: string, input: unknown, principal?: Principal): Promise<string> {
  const { status, body } = await call(kms, name, input, principal);
  expect(status).toBe(400);
  return body['__type'] ?? '';
}

/** The key, by its alias. */
export const KeyId = 'alias/halfkey';
/** The context of a half-key. */
export const context = { app: 'halfkey', purpose: 'file', vault: VAULT, blob: 'b' };
/** Base64 of so many bytes. */
export const b64 = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64');
