import { UserName } from '$contract/ids.ts';
import * as v from 'valibot';
import { HalfkeyError } from '../../errors.ts';

/** A user name as the broker takes it, without the white space around it. @throws {HalfkeyError} `name_malformed` */
export function parseUserName(text: string): UserName {
  const parsed = v.safeParse(UserName, text.trim());
  if (!parsed.success) throw new HalfkeyError('name_malformed', 'expected 1 to 64 characters without spaces');
  return parsed.output;
}
