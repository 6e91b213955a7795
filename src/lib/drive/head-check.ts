import { sha256 } from '../crypto/digest.ts';
import { HalfkeyError } from '../errors.ts';
import { headPhrase } from '../journal/entries/head-phrase.ts';
import { journalRemote } from './journal-remote.ts';
import type { HeadVerdict } from '../protocol/drive.ts';
import type { OpenVault } from '../vault/open-vault.ts';

const PHRASE = /^\d{1,15} [a-z0-9]{20}$/;

/**
 * Compares a head that was printed, or that another device shows, with the history that this device has authenticated.
 *
 * @param typed as people type it: case, spaces and punctuation do not matter, but the number has to stand apart
 * @throws {HalfkeyError} `input_malformed` when it is not such a phrase; `broker_unreachable` where the broker has to
 *   be asked for an older segment, or for newer ones; `fork`, `rollback` when what it shows contradicts this device's
 *   history
 */
export async function compareHeadPhrase(
  { vault, broker, journal }: Pick<OpenVault, 'vault' | 'broker' | 'journal'>,
  typed: string,
): Promise<HeadVerdict> {
  const { seq, phrase } = parsePhrase(typed);
  if (seq > journal.head.seq) await journal.refresh();
  if (seq > journal.head.seq) return 'beyond';
  if (seq === journal.head.seq) return canonical(headPhrase(journal.head)) === phrase ? 'seen' : 'other';
  const { segments } = await journalRemote(broker, vault).read(seq);
  const [segment] = segments;
  if (!segment)
    throw new HalfkeyError('journal_gap', `segment ${String(seq)} is missing`, { detail: { seq } });
  const head = { seq, hash: await sha256(segment) };
  // What the broker showed is this device's own history only if the chain leads from it to the head.
  await journal.compareHead(head);
  return canonical(headPhrase(head)) === phrase ? 'seen' : 'other';
}

function parsePhrase(typed: string): { seq: number; phrase: string } {
  const [seq = '', ...groups] = words(typed);
  const phrase = `${seq} ${groups.join('').replaceAll('o', '0')}`; // The alphabet has no "o".
  if (!PHRASE.test(phrase)) {
    throw new HalfkeyError('input_malformed', 'expected a number and five groups of four characters');
  }
  return { seq: Number(seq), phrase };
}

function canonical(phrase: string): string {
  const [seq = '', ...groups] = words(phrase);
  return `${seq} ${groups.join('')}`;
}

function words(text: string): string[] {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}
