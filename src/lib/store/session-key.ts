import * as v from 'valibot';
import { ONLY, writing, type Database, type StoredSessionKey } from './database.ts';

const keyFor = (usage: 'sign' | 'verify') =>
  v.pipe(
    v.instance(CryptoKey),
    v.check((key) => key.algorithm.name === 'Ed25519' && key.usages.includes(usage)),
  );
const Stored = v.object({
  sid: v.pipe(v.string(), v.regex(/^[\w-]{22}$/)),
  publicKey: keyFor('verify'),
  privateKey: v.pipe(
    keyFor('sign'),
    v.check((key) => !key.extractable),
  ),
});

/** @returns undefined if nobody has signed in; also for what is not such a key: then one signs in again */
export async function readSessionKey(database: Database): Promise<StoredSessionKey | undefined> {
  const parsed = v.safeParse(Stored, await database.get('session', ONLY));
  return parsed.success ? parsed.output : undefined;
}

/** @throws {HalfkeyError} `device_full` */
export async function saveSessionKey(database: Database, key: StoredSessionKey): Promise<void> {
  await writing(() => database.put('session', key, ONLY));
}
