import { argon2id } from 'hash-wasm';
import { HalfkeyError } from '../errors.ts';
import type { Bytes } from '../bytes.ts';
import { randomBytes } from './random.ts';

const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** How a passphrase becomes a key by Argon2id (RFC 9106, version 0x13). */
export interface Stretching {
  /** 16 bytes. */
  readonly salt: Bytes;
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** RFC 9106 §4's second choice, as for OPAQUE: its first, 2 GiB, kills a phone's tab. What is weaker is refused. */
const PINNED = { memoryKib: 65_536, passes: 3, lanes: 4 } as const;
/** What a later build may have raised them to; beyond, the numbers are damage, and would kill the tab. */
const MOST = { memoryKib: 1_048_576, passes: 32 } as const;

/** The pinned parameters with a new salt. */
export function newStretching(): Stretching {
  return { salt: randomBytes(SALT_BYTES), ...PINNED };
}

/**
 * The key of a passphrase: 32 bytes. Takes 64 MiB and some tenths of a second, in which this thread does nothing else.
 *
 * @param passphrase normalised
 * @throws {HalfkeyError} `kdf_downgrade` for weaker parameters than the pinned ones, `device_state_lost` for impossible
 *   ones; the passphrase is not looked at then
 */
export async function stretch(passphrase: string, stretching: Stretching): Promise<Bytes> {
  checkStretching(stretching);
  const { salt, memoryKib, passes, lanes } = stretching;
  const key = await argon2id({
    password: passphrase,
    salt,
    memorySize: memoryKib,
    iterations: passes,
    parallelism: lanes,
    hashLength: KEY_BYTES,
    outputType: 'binary',
  });
  return new Uint8Array(key);
}

/** @throws {HalfkeyError} as `stretch` */
function checkStretching({ salt, memoryKib, passes, lanes }: Stretching): void {
  if (memoryKib < PINNED.memoryKib || passes < PINNED.passes || salt.length < SALT_BYTES) {
    throw new HalfkeyError(
      'kdf_downgrade',
      `expected ${String(PINNED.memoryKib)} KiB and ${String(PINNED.passes)} passes at least`,
    );
  }
  const isKnown =
    Number.isInteger(memoryKib) &&
    memoryKib <= MOST.memoryKib &&
    Number.isInteger(passes) &&
    passes <= MOST.passes &&
    lanes === PINNED.lanes &&
    salt.length === SALT_BYTES;
  if (!isKnown) throw new HalfkeyError('device_state_lost', 'the parameters of Argon2id are impossible');
}
