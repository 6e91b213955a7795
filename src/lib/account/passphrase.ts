import { HalfkeyError } from '../errors.ts';
import { wipeAtEnd } from '../crypto/wipe.ts';
import { randomSecret } from '../crypto/random.ts';
import { loaded } from './loaded.ts';

/**
 * What a passphrase must withstand: guesses (log10) by somebody who has the broker's data and so may try as many as he
 * can pay. One guess is one Argon2id of 64 MiB, about a quarter of a core-second: 10^10 of them are eighty years of a
 * core.
 */
const LEAST_GUESSES_LOG10 = 10;
/** Where the scale's steps 2, 3 and 4 begin. */
const STEPS_LOG10 = [LEAST_GUESSES_LOG10, 12, 14] as const;
/** Below this step a passphrase is refused. */
export const LEAST_SCORE = 2;
/** From here on, an estimate only takes time: what is beyond counts as nothing. */
const JUDGED_CHARACTERS = 128;

const GENERATED_WORDS = 6;

/** Unicode's NFKC, so that two keyboards that write the same passphrase differently give the same bytes. */
export function normalisePassphrase(passphrase: string): string {
  return passphrase.normalize('NFKC');
}

/**
 * How well a passphrase withstands guessing: 0 and 1 are refused, 2 to 4 are good, better and best.
 *
 * @param userName counts as a word that an attacker tries first
 */
export async function judgePassphrase(passphrase: string, userName: string): Promise<number> {
  const judged = normalisePassphrase(passphrase).slice(0, JUDGED_CHARACTERS);
  const { score, guessesLog10 } = (await loadEstimator()).check(judged, [userName, 'halfkey']);
  if (score < 3) return 0;
  return 1 + STEPS_LOG10.filter((least) => guessesLog10 >= least).length;
}

/** @throws {HalfkeyError} `passphrase_weak` below step 2 */
export async function requireStrong(passphrase: string, userName: string): Promise<void> {
  const score = await judgePassphrase(passphrase, userName);
  if (score < LEAST_SCORE) {
    throw new HalfkeyError(
      'passphrase_weak',
      `expected a score of ${String(LEAST_SCORE)}, got ${String(score)}`,
    );
  }
}

/**
 * Six words, each one of BIP39's 2,048 English ones (no two alike in their first four letters, eight letters at most):
 * 66 bits. Joined by hyphens, so that it has one spelling.
 */
export async function generatePassphrase(): Promise<string> {
  const { wordlist } = await loaded(import('@scure/bip39/wordlists/english.js'));
  // 2,048 divides 65,536: each word is as likely as any other.
  const picks = new Uint16Array(randomSecret(GENERATED_WORDS * 2).buffer);
  using _picks = wipeAtEnd(picks);
  return Array.from(picks, (pick) => wordlist[pick % wordlist.length]).join('-');
}

let estimator: ReturnType<typeof createEstimator> | undefined;

/** Its dictionaries are 1.6 MB, and wanted at sign-up and recovery only. */
function loadEstimator(): ReturnType<typeof createEstimator> {
  estimator ??= createEstimator().catch((error: unknown) => {
    estimator = undefined; // The next one to ask tries again: the network may be back.
    throw error;
  });
  return estimator;
}

async function createEstimator() {
  const [{ ZxcvbnFactory }, common, english] = await loaded(
    Promise.all([
      import('@zxcvbn-ts/core'),
      import('@zxcvbn-ts/language-common'),
      import('@zxcvbn-ts/language-en'),
    ]),
  );
  return new ZxcvbnFactory({
    dictionary: { ...common.dictionary, ...english.dictionary },
    graphs: common.adjacencyGraphs,
  });
}
