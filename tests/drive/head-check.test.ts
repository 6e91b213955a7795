import { beforeEach, describe, expect, it } from 'vitest';
import { logRead } from '$contract/vault-log.ts';
import { compareHeadPhrase } from '../../src/lib/drive/head-check.ts';
import { headPhrase } from '../../src/lib/journal/entries/head-phrase.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { fileAdd } from '../journal/world.ts';
import { openVaultWorld, type VaultWorld } from '../support/vault-world.ts';

let world: VaultWorld;
/** Of the segments 0, 1 and 2. */
let phrases: string[];

beforeEach(async () => {
  world = await openVaultWorld();
  phrases = [headPhrase(world.journal.head)];
  for (const number of [1, 2]) {
    await world.journal.append(() => [fileAdd(number)]);
    phrases.push(headPhrase(world.journal.head));
  }
  world.heard.length = 0;
});
const compare = (typed: string) => compareHeadPhrase(world.open, typed);
/** The same place, another hash. */
const another = (phrase: string) => phrase.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'));

describe('a head that is compared', () => {
  it('was seen when it is that of now, and nobody is asked', async () => {
    expect(await compare(phrases[2]!)).toBe('seen');
    expect(world.heard).toEqual([]);
  });

  it('was seen when it is one of before', async () => {
    expect([await compare(phrases[0]!), await compare(phrases[1]!)]).toEqual(['seen', 'seen']);
  });

  it('is another one when its characters are, at whatever place', async () => {
    for (const phrase of phrases) expect(await compare(another(phrase))).toBe('other');
  });

  it('is looked for at the broker when it is newer, and beyond what there is when it is not there', async () => {
    const elsewhere = await world.openJournal();
    await elsewhere.append(() => [fileAdd(3)]);
    const newer = headPhrase(elsewhere.head);
    expect(world.journal.head.seq).toBe(2);
    expect(await compare(newer)).toBe('seen');
    expect(await compare(newer.replace('3 ·', '4 ·'))).toBe('beyond');
  });

  it('of before is not believed from a broker that shows another history', async () => {
    world.interfere = async (route, _request, effect) => {
      const answer = (await effect()) as { segments: string[] };
      if (route !== logRead) return answer;
      const told = Buffer.from(answer.segments[0]!, 'base64url');
      told[told.length - 1]! ^= 1;
      return { ...answer, segments: [told.toString('base64url')] };
    };
    expect(await refusalCode(compare(phrases[0]!))).toBe('fork');
  });

  it('of before that the broker withholds is missing', async () => {
    world.interfere = async (_route, _request, effect) => ({ ...((await effect()) as object), segments: [] });
    expect(await refusalCode(compare(phrases[1]!))).toBe('journal_gap');
  });
});

describe('a phrase', () => {
  it('may be typed without care for case, spaces, punctuation and the letter O', async () => {
    const [seq, groups] = phrases[2]!.split(' · ') as [string, string];
    const joined = groups.replaceAll(' ', '');
    for (const typed of [
      `${seq}·${groups.toUpperCase()}`,
      `  ${seq} - ${groups.replaceAll(' ', '-')}. `,
      `${seq} ${joined}`,
      `${seq} ${joined.replaceAll('0', 'O')}`,
      `${seq}\n${joined.replaceAll(/./g, (one) => String.fromCharCode(one.charCodeAt(0) + 0xfee0))}`,
    ]) {
      expect(await compare(typed), typed).toBe('seen');
    }
  });

  it('is none that is shorter, longer, or without its number, and nobody is asked', async () => {
    const groups = 'k7qm 2x9a k7qm 2x9a k7q';
    for (const typed of ['', '12', `${groups}m`, `1 ${groups}`, `1 ${groups}mm`]) {
      expect(await refusalCode(compare(typed)), typed).toBe('input_malformed');
    }
    expect(world.heard).toEqual([]);
  });
});
