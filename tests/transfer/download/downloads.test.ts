import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BlobId } from '$contract/ids.ts';
import { blobGetUrls } from '$contract/vault-blobs.ts';
import { envelopesWrite, keysGenerate, keysRelease } from '$contract/vault-keys.ts';
import { concat, fromB64Url, toB64, utf8 } from '../../../src/lib/bytes.ts';
import { sealAad } from '../../../src/lib/crypto/aad.ts';
import { sha256 } from '../../../src/lib/crypto/digest.ts';
import { sealEnvelope } from '../../../src/lib/crypto/envelope.ts';
import { seal } from '../../../src/lib/crypto/floe.ts';
import { paddedSize } from '../../../src/lib/crypto/padding.ts';
import { randomBytes } from '../../../src/lib/crypto/random.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import type { TransferReport } from '../../../src/lib/protocol/transfer.ts';
import { Downloads } from '../../../src/lib/transfer/download/downloads.ts';
import { toRecord } from '../../../src/lib/vault/envelope-record.ts';
import { refusalCode } from '../../crypto/refusal.ts';
import { idOf, versionOf } from '../../journal/world.ts';
import { readZip } from '../../support/read-zip.ts';
import { MemoryOpfs } from '../../support/memory-opfs.ts';
import { TestLocks } from '../../support/test-locks.ts';
import { asked, openVaultWorld, type VaultWorld } from '../../support/vault-world.ts';
import { until } from '../../support/until.ts';

const FILE = idOf('file', 1);
let world: VaultWorld;
let opfs: MemoryOpfs;
let stored: Uint8Array<ArrayBuffer>;
/** By blob: what the store answers where it is not `stored`. */
let store: Map<string, Uint8Array<ArrayBuffer>>;
let fetched: number;
let reports: Map<string, TransferReport>;
let downloads: Downloads;

beforeEach(async () => {
  [world, opfs] = [await openVaultWorld(), new MemoryOpfs()];
  reports = new Map();
  vi.stubGlobal('navigator', { storage: opfs.storage, locks: new TestLocks().client().locks });
  store = new Map();
  fetched = 0;
  vi.stubGlobal('fetch', (url: string) => {
    fetched += 1;
    const [, blob = ''] = /"blob":"([^"]+)"/.exec(decodeURIComponent(url)) ?? [];
    return Promise.resolve(new Response(store.get(blob) ?? stored, { status: 206 }));
  });
  await upload(1, 'a.txt', 'text/plain', 'abc');
  const reporter = {
    report: (report: TransferReport) => void reports.set(report.transfer, report),
    gone: (transfer: string) => void reports.delete(transfer),
  };
  downloads = new Downloads(
    () => world.open,
    reporter,
    () => 0,
    () => undefined,
  );
  world.heard.length = 0;
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** A file in the drive, with its envelope; its ciphertext is what the store answers. */
async function upload(
  number: number,
  name: string,
  mediaType: string,
  text: string,
  folder = '',
): Promise<void> {
  const { broker, vault, epoch, vaultKey, requireGrant } = world.open;
  const blob = idOf('blob', number) as BlobId;
  const contentKey = randomBytes(32);
  const content = utf8(text);
  const padded = concat(content, new Uint8Array(paddedSize(content.length) - content.length));
  stored = await seal(contentKey, sealAad('content', vault, blob, epoch), padded);
  store.set(blob, stored);
  await world.cloud.vaultObjects.create(vault, `blobs/${blob}`, stored);
  const order = { grant: requireGrant(), purpose: 'file', epoch, blobs: [blob] } as const;
  const { keys } = await broker.call(keysGenerate, { ...order, blobs: [blob] });
  const [kmsHalf, kmsBlob] = [fromB64Url(keys[0]!.kmsHalf), fromB64Url(keys[0]!.kmsBlob)];
  const envelope = await sealEnvelope({
    ...{ purpose: 'file', vault, blob, epoch, contentKey, kmsHalf, kmsBlob, vaultKey },
  });
  await broker.call(envelopesWrite, {
    envelopes: [{ blob, envelope: toRecord(envelope), proof: keys[0]!.proof }],
  });
  const version = {
    ...{ ...versionOf(number, content.length), sealedBytes: stored.length, mediaType },
    digest: toB64(await sha256(stored)),
  };
  await world.journal.append(() => [{ kind: 'file-add', file: idOf('file', number), folder, name, version }]);
}
const report = () => [...reports.values()][0];
const rests = () => [...opfs.root.entries.keys()];

describe('a file that is written', () => {
  it('is whole under its own name, and done', async () => {
    const { transfer, opfs: file } = await downloads.write(FILE, 'plain');
    expect(await file?.text()).toBe('abc');
    expect(report()).toMatchObject({
      ...{ transfer, phase: 'done', direction: 'down', name: 'a.txt', doneBytes: 3, totalBytes: 3 },
    });
  });

  it('as it lies in the store wants no code', async () => {
    world.isOpen = false;
    const { opfs: file } = await downloads.write(FILE, 'sealed');
    expect(new Uint8Array(await file!.arrayBuffer())).toEqual(stored);
    expect([report()?.name, world.times(keysRelease)]).toEqual(['a.txt.floe', 0]);
  });

  it('wants a code otherwise: nothing is begun before', async () => {
    world.isOpen = false;
    expect(await refusalCode(downloads.write(FILE, 'plain'))).toBe('locked');
    expect([reports.size, rests()]).toEqual([0, []]);
  });

  it('and is not what the journal pins leaves nothing, and says so', async () => {
    stored[stored.length - 1]! ^= 1;
    await expect(downloads.write(FILE, 'sealed')).rejects.toMatchObject({ code: 'digest_mismatch' });
    expect([report()?.phase, report()?.error?.code, rests()]).toEqual(['failed', 'digest_mismatch', []]);
  });

  it('that the journal does not know is not found, and one without an envelope has no key', async () => {
    expect(await refusalCode(downloads.write(idOf('file', 9), 'plain'))).toBe('not_found');
    await world.journal.append(() => [
      { kind: 'file-add', file: idOf('file', 2), folder: '', name: 'b', version: versionOf(2) },
    ]);
    expect(await refusalCode(downloads.write(idOf('file', 2), 'plain'))).toBe('key_absent');
  });

  it('goes from this device when it is dismissed, and not before it has ended', async () => {
    const { transfer } = await downloads.write(FILE, 'plain');
    expect(rests()).toEqual([`download-${transfer}`]);
    downloads.dismiss(transfer);
    await until(() => rests().length === 0);
    expect(reports.size).toBe(0);
  });

  it('lies here for a minute at most, however long its transfer is shown', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { transfer } = await downloads.write(FILE, 'plain');
    vi.advanceTimersByTime(59_000);
    expect(rests()).toEqual([`download-${transfer}`]);
    vi.advanceTimersByTime(1_000);
    vi.useRealTimers();
    await until(() => rests().length === 0);
    expect(report()?.phase).toBe('done');
  });

  it.each(['locked', 'clear'] as const)('is gone at once when Halfkey is told: %s', async (told) => {
    await downloads.write(FILE, 'plain');
    downloads[told]();
    await until(() => rests().length === 0);
  });
});

describe('a file whose server falls silent', () => {
  const silent = () => Promise.reject(new TypeError('Failed to fetch'));
  const answers = () => Promise.resolve(new Response(stored, { status: 206 }));
  const waits = () =>
    until(() => report()?.phase === 'waiting-for-network' && report()?.holdup?.nextTryAtMs !== undefined);

  it('says which one, and when it is tried again, and is whole after the next try', async () => {
    vi.stubGlobal('fetch', silent);
    const written = downloads.write(FILE, 'plain');
    await waits();
    expect(report()).toMatchObject({ holdup: { why: 'store' } });
    vi.stubGlobal('fetch', answers);
    downloads.wake();
    expect(await (await written).opfs?.text()).toBe('abc');
    expect(report()).toMatchObject({ phase: 'done' });
    expect(report()).not.toHaveProperty('holdup');
  });

  it('says so of the broker, too, and can be cancelled', async () => {
    world.interfere = (route, _request, effect) =>
      route === blobGetUrls ? Promise.reject(new HalfkeyError('broker_unreachable', 'silent')) : effect();
    const written = downloads.write(FILE, 'plain').catch((error: unknown) => error);
    await waits();
    expect(report()).toMatchObject({ holdup: { why: 'server' } });
    downloads.cancel(report()!.transfer);
    expect(await written).toMatchObject({ name: 'AbortError' });
    expect(report()).toMatchObject({ phase: 'cancelled' });
  });

  it('does not wait on with an open key once the drive is locked', async () => {
    vi.stubGlobal('fetch', silent);
    const written = refusalCode(downloads.write(FILE, 'plain'));
    await waits();
    world.isOpen = false;
    downloads.locked();
    expect(await written).toBe('store_unreachable');
    expect(report()).toMatchObject({ phase: 'failed', error: { code: 'store_unreachable' } });
  });

  it('waits on as it lies in the store: that wants no key', async () => {
    world.isOpen = false;
    vi.stubGlobal('fetch', silent);
    const written = downloads.write(FILE, 'sealed');
    await waits();
    downloads.locked();
    vi.stubGlobal('fetch', answers);
    downloads.wake();
    expect((await written).opfs?.size).toBe(stored.length);
  });
});

describe('a file that is streamed', () => {
  it('is given piece by piece as it is asked for', async () => {
    const { port, name, sizeBytes } = await downloads.stream(FILE, 'plain');
    const given: unknown[] = [];
    port.onmessage = ({ data }) => given.push(data);
    expect([name, sizeBytes, report()?.phase]).toEqual(['a.txt', 3, 'downloading']);
    await until(() => {
      port.postMessage({ kind: 'pull' });
      return report()?.phase === 'done';
    });
    port.close();
    expect(given.length).toBeGreaterThan(0);
  });

  it('is cancelled, and its transfer says so', async () => {
    const { transfer, port } = await downloads.stream(FILE, 'plain');
    expect(downloads.cancel('another')).toBe(false);
    downloads.dismiss(transfer);
    expect(reports.size).toBe(1);
    expect(downloads.cancel(transfer)).toBe(true);
    await until(() => report()?.phase === 'cancelled');
    port.close();
  });

  it('stops at Lock now', async () => {
    const { port } = await downloads.stream(FILE, 'plain');
    downloads.lockNow();
    await until(() => report()?.phase === 'failed');
    expect(report()?.error?.code).toBe('locked');
    port.close();
  });
});

describe('a file that is looked at', () => {
  it('is shown in place', async () => {
    expect(await downloads.preview(FILE)).toEqual({ kind: 'text', text: 'abc' });
    expect(reports.size).toBe(0);
  });

  it('and cannot be shown costs no key', async () => {
    await upload(2, 'b.pdf', 'application/pdf', 'pdf');
    world.heard.length = 0;
    world.isOpen = false;
    expect(await downloads.preview(idOf('file', 2))).toEqual({ kind: 'none' });
    expect(world.heard).toEqual([]);
  });

  it('while Lock now is pressed is not shown, although its half is on its way', async () => {
    world.interfere = async (route, _request, effect) => {
      const answer = await effect();
      if (route === keysRelease) downloads.lockNow();
      return answer;
    };
    expect(await refusalCode(downloads.preview(FILE))).toBe('locked');
    expect(reports.size).toBe(0);
  });

  it('is fetched while its key is being released, and not before there is a code', async () => {
    await downloads.preview(FILE);
    expect(world.heard).toEqual(expect.arrayContaining(asked(keysRelease, blobGetUrls)));
    let isReleased = false;
    world.interfere = async (route, _request, effect) => {
      if (route === blobGetUrls) expect(isReleased).toBe(false);
      if (route === keysRelease) await until(() => world.times(blobGetUrls) === 2);
      const answer = await effect();
      isReleased ||= route === keysRelease;
      return answer;
    };
    expect(await downloads.preview(FILE)).toEqual({ kind: 'text', text: 'abc' });
    world.isOpen = false;
    world.heard.length = 0;
    expect(await refusalCode(downloads.preview(FILE))).toBe('locked');
    expect(world.heard).toEqual([]);
  });
});

it('forgets all that was under way when its reader is signed out', async () => {
  await downloads.write(FILE, 'plain');
  const { port } = await downloads.stream(FILE, 'plain');
  downloads.clear();
  expect(reports.size).toBe(0);
  port.close();
});

describe('a download that is to rest', () => {
  const zip = () => downloads.writeZip({ entries: [''] });
  /** Begins one of two files, and has it rest before the first of them is read. */
  const rest = async () => {
    await upload(2, 'b.txt', 'text/plain', 'bcd');
    const writing = zip();
    await until(() => report()?.phase === 'downloading');
    downloads.pause(report()!.transfer);
    return writing;
  };

  it('goes on to its end when it is told to', async () => {
    const writing = rest();
    await until(() => report()?.phase === 'paused');
    const before = report()!.doneBytes;
    downloads.goOn(report()!.transfer);
    const { opfs: file } = await writing;
    expect([report()?.phase, report()?.doneBytes]).toEqual(['done', file?.size]);
    expect(before).toBeLessThan(file!.size);
  });

  it('does not wait with open keys once the drive is locked', async () => {
    const writing = rest();
    await until(() => report()?.phase === 'paused');
    world.isOpen = false;
    downloads.locked();
    expect(await refusalCode(writing)).toBe('locked');
    expect([report()?.phase, rests()]).toEqual(['failed', []]);
  });

  it('may be called off', async () => {
    const writing = rest();
    await until(() => report()?.phase === 'paused');
    downloads.cancel(report()!.transfer);
    await expect(writing).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }) as Error);
    expect([report()?.phase, rests()]).toEqual(['cancelled', []]);
  });

  it('is none that has ended', async () => {
    await downloads.write(FILE, 'plain');
    downloads.pause(report()!.transfer);
    expect(report()?.phase).toBe('done');
  });
});

describe('a zip', () => {
  const folder = idOf('folder', 1);
  const zipped = async (file: File | undefined) => readZip(new Uint8Array(await file!.arrayBuffer()));
  const texts = async (file: File | undefined) =>
    [...(await zipped(file))].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]);

  beforeEach(async () => {
    await world.journal.append(() => [
      { kind: 'folder-add', folder, parent: '', name: 'tax' },
      { kind: 'folder-add', folder: idOf('folder', 2), parent: folder, name: 'empty' },
    ]);
    await upload(2, 'b.txt', 'text/plain', 'bcd', folder);
    await upload(3, 'B.txt', 'text/plain', '', folder);
    world.heard.length = 0;
  });

  it('of a folder is named after it, and has all that is in it', async () => {
    const { transfer, opfs: file } = await downloads.writeZip({ entries: [folder], name: 'unused' });
    expect(await texts(file)).toEqual([
      ['tax/empty/', ''],
      ['tax/b.txt', 'bcd'],
      ['tax/B (2).txt', ''],
    ]);
    expect(report()).toMatchObject({
      ...{ transfer, phase: 'done', direction: 'down', name: 'tax.zip' },
      ...{ totalBytes: file?.size, doneBytes: file?.size },
    });
  });

  it('of several has the name that was asked for, or the app’s', async () => {
    await downloads.writeZip({ entries: [FILE, folder], name: 'both' });
    await downloads.writeZip({ entries: [FILE, folder] });
    expect([...reports.values()].map(({ name }) => name)).toEqual(['both.zip', 'Halfkey.zip']);
  });

  it('of a hundred small files asks for keys and for URLs once each, and fetches each file once', async () => {
    for (let number = 10; number < 107; number++)
      await upload(number, `${String(number)}.txt`, 'text/plain', `text ${String(number)}`, folder);
    [world.heard.length, fetched] = [0, 0];
    const { opfs: file } = await downloads.writeZip({ entries: [folder, FILE] });
    expect((await zipped(file)).size).toBe(101);
    expect([world.times(keysRelease), world.times(blobGetUrls), fetched]).toEqual([1, 1, 100]);
  });

  it('wants a code: nothing is begun before', async () => {
    world.isOpen = false;
    expect(await refusalCode(downloads.writeZip({ entries: [folder] }))).toBe('locked');
    expect([reports.size, rests(), fetched]).toEqual([0, [], 0]);
  });

  it('goes on to its end when the drive is locked meanwhile, for all of its keys are there', async () => {
    const { opfs: file } = await Promise.all([
      downloads.writeZip({ entries: [folder, FILE] }),
      until(() => report()?.phase === 'downloading').then(() => {
        world.isOpen = false;
        downloads.locked();
      }),
    ]).then(([written]) => written);
    expect((await zipped(file)).size).toBe(4);
  });

  it('with more files than one code opens is not begun', async () => {
    Object.assign(world.open, { releasesOfCode: () => 2 });
    await expect(downloads.writeZip({ entries: [FILE, folder] })).rejects.toMatchObject({
      ...{ code: 'zip_too_large', detail: { count: 3, most: 2 } },
    });
    expect([reports.size, world.heard]).toEqual([0, []]);
  });

  it.each([
    ['is not what was uploaded', () => void (stored[stored.length - 1]! ^= 1)],
    ['has lost its end', () => void store.set(idOf('blob', 3), stored.slice(0, -1))],
  ])('fails as a whole where one file %s, and leaves nothing that looks whole', async (_case, spoil) => {
    spoil();
    await expect(downloads.writeZip({ entries: [folder] })).rejects.toThrow(HalfkeyError);
    expect([report()?.phase, rests()]).toEqual(['failed', []]);
  });

  it('is not begun where a key is missing', async () => {
    const version = versionOf(9);
    await world.journal.append(() => [
      { kind: 'file-add', file: idOf('file', 9), folder, name: 'x', version },
    ]);
    expect(await refusalCode(downloads.writeZip({ entries: [folder] }))).toBe('key_absent');
    expect([reports.size, rests()]).toEqual([0, []]);
  });

  it('is announced to the service worker with its very size', async () => {
    const { opfs: file } = await downloads.writeZip({ entries: [folder] });
    const stream = await downloads.zip({ entries: [folder] });
    expect(stream).toMatchObject({ name: 'tax.zip', sizeBytes: file?.size });
    downloads.clear();
    stream.port.close();
  });
});
