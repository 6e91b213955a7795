import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LIMITS } from '$contract/limits.ts';
import { snapshotPutUrls } from '$contract/vault-blobs.ts';
import { logAppend, logRead } from '$contract/vault-log.ts';
import { toB64, toB64Url } from '../../src/lib/bytes.ts';
import { sha256 } from '../../src/lib/crypto/digest.ts';
import { randomBytes } from '../../src/lib/crypto/random.ts';
import { journalRemote } from '../../src/lib/drive/journal-remote.ts';
import { toJournalHead } from '../../src/lib/vault/journal-head.ts';
import type { JournalRemote } from '../../src/lib/journal/ports.ts';
import { getWhole, put } from '../../src/lib/remote/s3.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { newBlobId } from '../support/vault-side.ts';
import { asked, openVaultWorld, type VaultWorld } from '../support/vault-world.ts';

vi.mock('../../src/lib/remote/s3.ts');

let world: VaultWorld;
let remote: JournalRemote;

beforeEach(async () => {
  world = await openVaultWorld();
  remote = journalRemote(world.broker, world.vault);
});
afterEach(() => {
  vi.resetAllMocks();
});

describe('segments', () => {
  it('are those that the broker has, from a place on, with its head', async () => {
    const { head, segments } = await remote.read(0);
    expect(segments).toHaveLength(1);
    expect(head).toEqual({ seq: 0, hash: await sha256(segments[0]!) });
    expect((await remote.read(1)).segments).toEqual([]);
  });

  it('that the broker takes are told with the head that they make', async () => {
    world.interfere = (_route, request) => {
      expect(request).toEqual({ segment: toB64Url(new Uint8Array([1, 2, 3])) });
      return Promise.resolve({ seq: 1, hash: toB64Url(new Uint8Array(32)) });
    };
    expect(await remote.append(new Uint8Array([1, 2, 3]))).toEqual({ seq: 1, hash: new Uint8Array(32) });
    expect(world.heard).toEqual(asked(logAppend));
  });

  it('that came with a code are not asked for again, until something is written or more is looked for', async () => {
    const { head, segments } = await remote.read(0);
    const told = { seq: head.seq, hash: toB64Url(head.hash) };
    const opening = {
      vault: world.vault,
      from: 0,
      segments: segments.map((bytes) => toB64Url(bytes)),
      pages: [],
    };
    const atHand = journalRemote(world.broker, world.vault, () => undefined, { head: told, opening });
    world.heard.length = 0;
    expect(atHand.tailSeq).toBe(0);
    expect(await atHand.read(0)).toEqual({ head, segments });
    expect(await atHand.read(1)).toEqual({ head, segments: [] });
    expect(world.heard).toEqual([]);
    atHand.opened();
    await atHand.read(1);
    expect(world.heard).toEqual(asked(logRead));
    const writing = journalRemote(world.broker, world.vault, () => undefined, { head: told, opening });
    await refusalCode(writing.append(new Uint8Array([1])));
    world.heard.length = 0;
    await writing.read(1);
    expect(world.heard).toEqual(asked(logRead));
  });

  it('behind a snapshot that came with a code are at hand, and those before it are the broker’s to tell', async () => {
    const { head } = await remote.read(0);
    const told = { seq: 5, hash: toB64Url(head.hash) };
    const opening = { vault: world.vault, from: 5, segments: [toB64Url(new Uint8Array([5]))], pages: [] };
    const atHand = journalRemote(world.broker, world.vault, () => undefined, { head: told, opening });
    world.heard.length = 0;
    expect((await atHand.read(5)).segments).toEqual([new Uint8Array([5])]);
    expect(world.heard).toEqual([]);
    await atHand.read(0);
    expect(world.heard).toEqual(asked(logRead));
  });

  it('that are no base64url are no answer', async () => {
    world.interfere = (route, _request, effect) =>
      route === logRead ? Promise.resolve({ head: { seq: 0, hash: 'AAAA' }, segments: ['a+b'] }) : effect();
    expect(await refusalCode(remote.read(0))).toBe('broker_unreachable');
    expect(() => toJournalHead({ seq: 0, hash: 'a+b' })).toThrow('base64url');
  });
});

describe('pages of a snapshot', () => {
  const pages = (count: number) =>
    Array.from({ length: count }, () => ({ page: newBlobId(), bytes: randomBytes(10) }));

  it('go straight to the store, none over another, each with its own digest and URL', async () => {
    const two = pages(2);
    await remote.putPages(7, two);
    for (const [index, { page, bytes }] of two.entries()) {
      const sent = vi.mocked(put).mock.calls[index]![0];
      expect(sent.url).toContain(page);
      expect(sent).toMatchObject({ sha256B64: toB64(await sha256(bytes)), createOnly: true });
      expect(new Uint8Array(await sent.body.arrayBuffer())).toEqual(bytes);
    }
  });

  it('are asked for in batches that the broker takes', async () => {
    await remote.putPages(7, pages(LIMITS.batch + 1));
    expect(world.times(snapshotPutUrls)).toBe(2);
    expect(vi.mocked(put)).toHaveBeenCalledTimes(LIMITS.batch + 1);
  });

  it('come from the store, no longer than they were said to be', async () => {
    const page = newBlobId();
    vi.mocked(getWhole).mockResolvedValue(new Uint8Array([7]));
    expect(await remote.getPage(7, page, 99)).toEqual(new Uint8Array([7]));
    expect(vi.mocked(getWhole)).toHaveBeenCalledExactlyOnceWith(expect.stringContaining(page), 99);
  });

  it('without a URL of their own are not fetched from that of another', async () => {
    world.interfere = () => Promise.resolve({ urls: [{ page: newBlobId(), url: 'https://store.test/x' }] });
    expect(await refusalCode(remote.getPage(7, newBlobId(), 99))).toBe('broker_unreachable');
    expect(await refusalCode(remote.putPages(7, pages(1)))).toBe('broker_unreachable');
    expect(vi.mocked(getWhole)).not.toHaveBeenCalled();
    expect(vi.mocked(put)).not.toHaveBeenCalled();
  });
});
