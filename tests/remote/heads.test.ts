import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { VaultId } from '$contract/ids.ts';
import { listenForHeads } from '../../src/lib/remote/heads.ts';

const HASH = 'A'.repeat(43);
let sources: Source[];
let heard: unknown[];
let stop: () => void;

class Source extends EventTarget {
  readonly url: string;
  isClosed = false;

  constructor(url: URL) {
    super();
    this.url = String(url);
    sources.push(this);
  }

  close(): void {
    this.isClosed = true;
  }

  tell(kind: string, data?: string): void {
    this.dispatchEvent(new MessageEvent(kind, { data }));
  }
}

beforeEach(() => {
  [sources, heard] = [[], []];
  vi.stubGlobal('EventSource', Source);
  stop = listenForHeads('https://halfkey.test', 'us-east-1:a/b' as VaultId, {
    onHead: (head) => heard.push(head),
    onInbox: () => heard.push('inbox'),
    onConnection: (online) => heard.push(online),
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});
const source = () => sources[0]!;

describe('the stream of heads', () => {
  it('is that of the vault, at the app’s own origin', () => {
    expect(source().url).toBe('https://halfkey.test/api/vaults/us-east-1%3Aa%2Fb/events');
  });

  it('tells of heads, of the inbox, and whether it stands', () => {
    source().tell('open');
    source().tell('head', JSON.stringify({ seq: 7, hash: HASH }));
    source().tell('inbox', '');
    source().tell('error');
    expect(heard).toEqual([true, { seq: 7, hash: HASH }, 'inbox', false]);
  });

  it.each(['', 'x', '{}', JSON.stringify({ seq: -1, hash: HASH }), JSON.stringify({ seq: 7 })])(
    'says nothing by what is no head: %j',
    (data) => {
      source().tell('head', data);
      expect(heard).toEqual([]);
    },
  );

  it('is closed by whoever has opened it', () => {
    expect(source().isClosed).toBe(false);
    stop();
    expect(source().isClosed).toBe(true);
  });
});
