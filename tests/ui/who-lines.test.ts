import { describe, expect, it } from 'vitest';
import { whoLines } from '../../src/lib/ui/texts/en/who.ts';

const locked = { asksPassphrase: false, otherDevices: [] };
const verdicts = (standing: Parameters<typeof whoLines>[0]) => whoLines(standing).map(({ can }) => can);

describe('who can read this now', () => {
  it('is answered in five lines, whatever the state', () => {
    for (const openUntil of [undefined, '14:32']) {
      for (const asksPassphrase of [false, true]) {
        for (const otherDevices of [[], ['Firefox on Linux']]) {
          const standing = { ...(openUntil !== undefined && { openUntil }), asksPassphrase, otherDevices };
          const lines = whoLines(standing);
          expect(lines.map(({ who }) => who)).toEqual([
            'This device',
            'Your other devices',
            'The server',
            'Anyone who gets hold of the stored files',
            'Someone who finds this device',
          ]);
          for (const { text } of lines) expect(text).toMatch(/^[A-Z].+\.$/);
        }
      }
    }
  });

  it('is, while locked, nobody for the contents', () => {
    expect(verdicts(locked)).toEqual(['names only', 'nothing', 'nothing', 'nothing', 'names only']);
  });

  it('is, while open, whoever has this device', () => {
    const [here, , , , finder] = whoLines({ ...locked, openUntil: '14:32' });
    expect(here).toMatchObject({ can: 'everything', half: 'yours' });
    expect(here?.text).toContain('14:32');
    expect(finder?.can).toBe('everything');
  });

  it('never gives the server or the stored files anything, and says which half the server has', () => {
    for (const standing of [locked, { ...locked, openUntil: '14:32' }]) {
      const [, , server, bucket] = whoLines(standing);
      expect([server?.can, bucket?.can]).toEqual(['nothing', 'nothing']);
      expect(server?.half).toBe('servers');
      expect(bucket?.half).toBeUndefined();
    }
  });

  it('names three other devices, and counts the rest', () => {
    const of = (otherDevices: string[]) => whoLines({ ...locked, otherDevices })[1];
    expect(of(['A'])?.text).toMatch(/^A\. /);
    expect(of(['A', 'B', 'C'])?.text).toMatch(/^A, B, C\. /);
    expect(of(['A', 'B', 'C', 'D'])?.text).toMatch(/^A, B, C and 1 other\. /);
    expect(of(['A', 'B', 'C', 'D', 'E'])?.text).toMatch(/^A, B, C and 2 others\. /);
    expect(of(['A'])?.can).toBe('after a code');
  });

  it('tells what asking for the passphrase at each start changes', () => {
    const finder = (asksPassphrase: boolean) => whoLines({ ...locked, asksPassphrase })[4]?.text;
    expect(finder(true)).toContain('passphrase');
    expect(finder(false)).not.toContain('passphrase');
  });
});
