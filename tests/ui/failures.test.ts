import { describe, expect, it } from 'vitest';
import { FAMILIES, type ErrorCode } from '../../src/lib/errors.ts';
import { explain } from '../../src/lib/ui/failures.ts';

const codes = Object.keys(FAMILIES) as ErrorCode[];

describe('texts for failures', () => {
  it.each(codes)('%s says what happened, and what to do', (code) => {
    const { title, text } = explain({ code, detail: {} }, 0);
    expect(title).toMatch(/^[A-Z][^.!]+[^.!]$/);
    expect(text).toMatch(/^[A-Z].+\.$/s);
    expect(text).not.toMatch(/undefined|NaN|!/);
    expect(`${title} ${text}`).not.toContain(code.includes('_') ? code : '\0');
  });

  it('has a title of its own for each code but those that mean the same to people', () => {
    const same = new Set<ErrorCode>(['grant_missing', 'locked', 'nonce_stale']);
    const titles = codes
      .filter((code) => !same.has(code))
      .map((code) => explain({ code, detail: {} }, 0).title);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it('tells how long to wait, where the server says it', () => {
    expect(explain({ code: 'too_many_requests', detail: { retryAfterSeconds: 20 } }, 0).text).toBe(
      'Try again in 20 seconds.',
    );
    expect(explain({ code: 'code_locked', detail: { retryAfterSeconds: 3600 } }, 0).text).toContain('1 hour');
    expect(explain({ code: 'too_many_requests', detail: {} }, 0).text).toContain('Wait a moment');
  });

  it('tells when the app shows the next code after a used one', () => {
    expect(explain({ code: 'code_used', detail: {} }, 17_000).text).toContain('13 seconds');
  });

  it('tells a device whose own writing counts for nothing from one that has lost its keys, and lets it upload first', () => {
    const lost = explain({ code: 'device_state_lost', detail: {} }, 0);
    const { title, text } = explain({ code: 'device_state_lost', detail: { seq: 7 } }, 0);
    expect(title).not.toBe(lost.title);
    // Signing out forgets what waits here.
    expect(text).toMatch(/stopped making changes here.* nothing here is left to upload. Then sign out/);
    expect(explain({ code: 'epoch_key_missing', detail: {} }, 0).text).toMatch(
      /left to upload. Then sign out/,
    );
  });

  it('names what the browser lacks', () => {
    expect(explain({ code: 'browser_lacks', detail: { feature: 'OPFS' } }, 0).text).toContain('“OPFS”');
  });
});
