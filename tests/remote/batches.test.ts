import { afterEach, describe, expect, it, vi } from 'vitest';
import type { VaultId } from '$contract/ids.ts';
import type { Route } from '$contract/route.ts';
import { blobGetUrls } from '$contract/vault-blobs.ts';
import { inboxList, inboxRead, inboxRemove, inboxWrite } from '$contract/vault-inbox.ts';
import { envelopesWrite, keysGenerate, keysRelease, purge } from '$contract/vault-keys.ts';
import { connectBroker } from '../../src/lib/remote/broker.ts';
import { SessionProver } from '../../src/lib/remote/session-proof.ts';
import { refusalCode } from '../crypto/refusal.ts';

const broker = connectBroker('https://halfkey.test', new SessionProver(() => Promise.resolve(undefined)));
const vault = 'us-east-1:00000000-0000-4000-8000-000000000000' as VaultId;
const [blob, other] = ['A'.repeat(22), 'Q'.repeat(22)];
const of32 = 'A'.repeat(43);
const proof = 'A'.repeat(54);

afterEach(() => {
  vi.unstubAllGlobals();
});

/** What the client makes of such an answer. */
async function answered(route: Route, answer: object): Promise<Record<string, unknown>> {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(answer))));
  return (await broker.call(route, {}, { vault })) as Record<string, unknown>;
}

const NO_ENTRIES = [null, 7, 'x', [], {}];

describe('of an answer about many things, what is malformed holds up none of the others', () => {
  it.each<[string, Route, string, object, object]>([
    ['halves that were made', keysGenerate, 'keys', { blob, kmsHalf: of32, kmsBlob: 'AA', proof }, {}],
    [
      'halves that were released',
      keysRelease,
      'keys',
      { blob, epoch: 0, envelope: { suite: 'halfkey/9' }, kmsHalf: of32 },
      { absent: [], refused: [] },
    ],
    ['blobs without an envelope', keysRelease, 'absent', { blob, epoch: 0 }, { keys: [], refused: [] }],
    [
      'keys that are not released',
      keysRelease,
      'refused',
      { blob, epoch: 0, code: 'purged' },
      { keys: [], absent: [] },
    ],
    ['names in the inbox', inboxList, 'names', { device: other, blob, tag: '"1"', atMs: 1 }, { more: false }],
    [
      'records of the inbox',
      inboxRead,
      'records',
      { device: other, blob, record: 'AA', stored: null, purged: false },
      {},
    ],
    ['URLs', blobGetUrls, 'urls', { blob, url: 'https://store.test/a' }, {}],
  ])('%s', async (_, route, field, entry, rest) => {
    const halfOfThem = Object.keys(entry).map((name) => ({ ...entry, [name]: 'not this!' }));
    const last = { ...entry, blob: other };
    const answer = await answered(route, { ...rest, [field]: [...NO_ENTRIES, entry, ...halfOfThem, last] });
    const [first] = answer[field] as object[];
    expect(first).toEqual(entry);
    expect((answer[field] as object[]).at(-1)).toEqual(last);
    expect((answer[field] as object[]).every((each) => 'blob' in each && each.blob !== 'not this!')).toBe(
      true,
    );
  });
});

describe('what was refused is never taken for done', () => {
  const device = other;
  it.each<[string, Route, object]>([
    ['envelopes', envelopesWrite, { blob, epoch: 0 }],
    ['records', inboxWrite, { blob }],
    ['removals', inboxRemove, { device, blob }],
    ['deletions', purge, { blob }],
  ])('%s: for a reason that nobody knows, or of what cannot be named', async (_, route, name) => {
    for (const code of ['of-tomorrow', 7, null]) {
      const answer = await answered(route, { refused: [{ ...name, code }] });
      expect(answer).toEqual({ refused: [{ ...name, code: 'record_corrupt' }] });
    }
    for (const entry of NO_ENTRIES) {
      expect(await refusalCode(answered(route, { refused: [entry] }))).toBe('broker_unreachable');
    }
  });
});
