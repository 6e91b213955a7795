import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import * as v from 'valibot';
import { readIfThere, readOrCreate } from '../iam/create-once.ts';
import { replaceFile } from '../store/durable.ts';

/** The secret that all blobs are sealed under. Never leaves this folder, never in a log or a message. */
export interface RootKey {
  /** UUID, lower case. */
  readonly keyId: string;
  /** Stands in each blob, for the day when a key is rotated. */
  readonly keyVersion: number;
  /** 32 bytes. */
  readonly secret: Uint8Array;
  readonly createdAtMs: number;
}

/**
 * AWS's key states that are reached here. `deletionAtMs`: when AWS would delete; the local cloud never deletes a key by
 * itself.
 */
export type KeyState =
  | { readonly state: 'Enabled' | 'Disabled' }
  | { readonly state: 'PendingDeletion'; readonly deletionAtMs: number };

const SECRET_BYTES = 32;
const Stored = v.strictObject({
  version: v.literal(1),
  keyId: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)),
  keyVersion: v.literal(1),
  secretB64: v.pipe(
    v.string(),
    v.check((text) => Buffer.from(text, 'base64').length === SECRET_BYTES),
  ),
  createdAtMs: v.pipe(v.number(), v.safeInteger()),
});
const StoredState = v.variant('state', [
  v.strictObject({ state: v.picklist(['Enabled', 'Disabled']) }),
  v.strictObject({ state: v.literal('PendingDeletion'), deletionAtMs: v.pipe(v.number(), v.safeInteger()) }),
]);

/**
 * Opens `root-key.json` in `folder`, which is made once, mode 0600, and on the disk before it is used.
 * @throws Error when it is damaged: a new one in its place would lose every file for good
 */
export async function openRootKey(folder: string): Promise<RootKey> {
  const text = await readOrCreate(join(folder, 'root-key.json'), () =>
    JSON.stringify({
      version: 1,
      keyId: randomUUID(),
      keyVersion: 1,
      secretB64: randomBytes(SECRET_BYTES).toString('base64'),
      createdAtMs: Date.now(),
    }),
  );
  const { keyId, keyVersion, secretB64, createdAtMs } = parseStored(Stored, text, 'root-key.json');
  return { keyId, keyVersion, secret: Buffer.from(secretB64, 'base64'), createdAtMs };
}

/** Reads the key's state; a key without a stored one is enabled. */
export async function readKeyState(folder: string): Promise<KeyState> {
  const text = await readIfThere(join(folder, 'key-state.json'));
  return text === undefined ? { state: 'Enabled' } : parseStored(StoredState, text, 'key-state.json');
}

/** Stores the key's state; it is on the disk when this resolves. */
export async function writeKeyState(folder: string, state: KeyState): Promise<void> {
  await replaceFile(join(folder, 'key-state.json'), JSON.stringify(state));
}

function parseStored<T extends v.GenericSchema>(schema: T, text: string, name: string): v.InferOutput<T> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const parsed = v.safeParse(schema, json);
  // Without the cause: a parser's message quotes what it read, and that is a secret.
  if (!parsed.success)
    throw new Error(`${name} of the local cloud's KMS is damaged: restore it from a backup`);
  return parsed.output;
}
