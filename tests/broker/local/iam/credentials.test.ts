import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCredentials } from '../../../../broker/local/iam/credentials.ts';
import { VAULT, temporaryFolder } from './fixture.ts';

const NOW_MS = 1_790_000_000_000;

describe('long-lived credentials', () => {
  it('are made once, in a file for the owner alone', async () => {
    const folder = join(temporaryFolder(), 'iam');
    const first = await openCredentials(folder);
    const again = await openCredentials(folder);
    expect(again.administrator).toEqual(first.administrator);
    expect(again.broker).toEqual(first.broker);
    expect(first.administrator.secretAccessKey).not.toBe(first.broker.secretAccessKey);
    expect(first.administrator.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
    expect(first.administrator.secretAccessKey).toHaveLength(40);
    expect(readdirSync(folder)).toEqual(['credentials.json']);
    expect(statSync(join(folder, 'credentials.json')).mode & 0o777).toBe(0o600);
  });

  it('are the same for all who make them at the same time', async () => {
    const folder = temporaryFolder();
    const all = await Promise.all(Array.from({ length: 16 }, () => openCredentials(folder)));
    expect(new Set(all.map(({ broker }) => broker.accessKeyId)).size).toBe(1);
    expect(readdirSync(folder)).toEqual(['credentials.json']);
  });

  it('are found without a session token only', async () => {
    const credentials = await openCredentials(temporaryFolder());
    const { administrator, broker, find } = credentials;
    expect(find(administrator.accessKeyId, undefined)).toEqual(administrator);
    expect(find(broker.accessKeyId, undefined)).toEqual(broker);
    expect(find(broker.accessKeyId, '')).toBeUndefined();
    expect(find(broker.accessKeyId, credentials.issue(VAULT, 60).sessionToken)).toBeUndefined();
    expect(find('', undefined)).toBeUndefined();
    expect(find('__proto__', undefined)).toBeUndefined();
  });

  it('are not made anew over a damaged file, and the message keeps its content', async () => {
    const folder = temporaryFolder();
    await openCredentials(folder);
    const path = join(folder, 'credentials.json');
    const text = readFileSync(path, 'utf8');
    for (const damaged of [text.slice(0, -1), '', '{}', text.replace('"version":1', '"version":2')]) {
      writeFileSync(path, damaged);
      await expect(openCredentials(folder)).rejects.toThrow(
        /^credentials\.json of the local cloud is damaged: restore/,
      );
      expect(readFileSync(path, 'utf8')).toBe(damaged);
    }
  });
});

describe('credentials of an identity', () => {
  it('survive a restart, with nothing stored of them', async () => {
    const folder = temporaryFolder();
    const before = await openCredentials(folder, () => NOW_MS);
    const stored = readFileSync(join(folder, 'credentials.json'), 'utf8');
    const issued = before.issue(VAULT, 3600);
    expect(issued).toMatchObject({
      expiresAtMs: NOW_MS + 3_600_000,
      principal: { kind: 'identity', sub: VAULT },
    });
    const after = await openCredentials(folder);
    expect(after.find(issued.accessKeyId, issued.sessionToken)).toEqual(issued);
    expect(readdirSync(folder)).toEqual(['credentials.json']);
    expect(readFileSync(join(folder, 'credentials.json'), 'utf8')).toBe(stored);
  });

  it('differ each time, and need their own token', async () => {
    const { issue, find } = await openCredentials(temporaryFolder(), () => NOW_MS);
    const one = issue(VAULT, 3600);
    const other = issue(VAULT, 3600);
    expect(one.accessKeyId).not.toBe(other.accessKeyId);
    expect(one.secretAccessKey).not.toBe(other.secretAccessKey);
    expect(find(one.accessKeyId, undefined)).toBeUndefined();
    expect(find(one.accessKeyId, other.sessionToken)).toBeUndefined();
  });

  it('are those of this local cloud alone', async () => {
    const { issue } = await openCredentials(temporaryFolder());
    const { find } = await openCredentials(temporaryFolder());
    const issued = issue(VAULT, 60);
    expect(find(issued.accessKeyId, issued.sessionToken)).toBeUndefined();
  });

  it('are not found by a token with any bit changed, cut, lengthened, or spelled in another way', async () => {
    const { issue, find } = await openCredentials(temporaryFolder());
    const { accessKeyId, sessionToken } = issue(VAULT, 60);
    const bytes = Buffer.from(sessionToken, 'base64');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(find(accessKeyId, changed.toString('base64'))).toBeUndefined();
    }
    for (let length = 0; length < sessionToken.length; length++) {
      expect(find(accessKeyId, sessionToken.slice(0, length))).toBeUndefined();
    }
    for (const token of [
      `${sessionToken}A`,
      ` ${sessionToken}`,
      `${sessionToken}\n`,
      sessionToken.repeat(20),
    ]) {
      expect(find(accessKeyId, token)).toBeUndefined();
    }
  });

  it('are found for no other text', async () => {
    const { find, issue } = await openCredentials(temporaryFolder());
    const { accessKeyId } = issue(VAULT, 60);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String({ maxLength: 400 })), (token) => {
        expect(find(accessKeyId, token)).toBeUndefined();
      }),
      { seed: 2 },
    );
  });

  it.each([0, -1, 1.5, 43_201, NaN])('are refused a lifetime of %s seconds', async (seconds) => {
    const { issue } = await openCredentials(temporaryFolder());
    expect(() => issue(VAULT, seconds)).toThrow(RangeError);
  });

  it.each([1, 43_200])('may live %s seconds', async (seconds) => {
    const { issue } = await openCredentials(temporaryFolder(), () => NOW_MS);
    expect(issue(VAULT, seconds).expiresAtMs).toBe(NOW_MS + seconds * 1000);
  });
});
