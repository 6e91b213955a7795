import './runes.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CryptoWorker } from '../../src/lib/platform/crypto-worker.ts';
import type { Announcer } from '../../src/lib/state/announcer.svelte.ts';
import { Files } from '../../src/lib/state/files.svelte.ts';
import { viewReport } from './view-report.ts';

const said: string[] = [];
let files: Files;
let revision: number;

beforeEach(() => {
  vi.useFakeTimers();
  said.length = 0;
  revision = 0;
  const announcer = { say: (sentence: string) => void said.push(sentence) } as unknown as Announcer;
  const worker = { send: () => Promise.resolve() } as unknown as CryptoWorker;
  files = new Files(worker, announcer);
});
afterEach(() => {
  vi.useRealTimers();
});

async function search(text: string, total: number): Promise<void> {
  await files.search(text);
  files.applyView(viewReport({ revision: ++revision, total, all: 64 }));
}

describe('how many files and folders a search finds', () => {
  it.each([
    ['pear', 12, '12 results for “pear”.'],
    ['pear', 1, '1 result for “pear”.'],
    ['pear', 0, 'No results for “pear”.'],
    ['x\u202Egpj.y', 0, 'No results for “x[U+202E]gpj.y”.'],
    ['', 64, '64 items.'],
  ])('is said: of %j %d', async (text, total, sentence) => {
    await search(text, total);
    vi.advanceTimersByTime(10_000);
    expect(said).toEqual([sentence]);
  });

  it('is said once for what somebody types, and not again when the list changes by itself', async () => {
    for (const text of ['p', 'pe', 'pea', 'pear']) {
      await search(text, 5 - text.length);
      vi.advanceTimersByTime(200);
    }
    vi.advanceTimersByTime(10_000);
    files.applyView(viewReport({ revision: ++revision, total: 9, all: 65 }));
    vi.advanceTimersByTime(10_000);
    expect(said).toEqual(['1 result for “pear”.']);
  });

  it('waits for the answer to the last letter', async () => {
    await search('pea', 2);
    await files.search('pear');
    vi.advanceTimersByTime(400);
    files.applyView(viewReport({ revision: ++revision, total: 1, all: 64 }));
    vi.advanceTimersByTime(10_000);
    expect(said).toEqual(['1 result for “pear”.']);
  });

  it('is said to nobody who has signed out', async () => {
    await search('pear', 12);
    files.clear();
    vi.advanceTimersByTime(10_000);
    expect(said).toEqual([]);
  });
});
