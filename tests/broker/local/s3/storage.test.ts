import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListPartsCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RecordLog } from '../../../../broker/local/store/record-log.ts';
import { isLongForm } from '../../../support/long-form.ts';
import {
  bytesOf,
  clientOf,
  freshKey,
  outcome,
  startTestCloud,
  temporaryFolder,
  type TestCloud,
} from './fixture.ts';
import { startProcess } from './process.ts';

const MEBIBYTE = 1024 * 1024;

function folder(): string {
  const path = temporaryFolder();
  onTestFinished(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

async function textAt({ s3, bucket }: Pick<TestCloud, 's3' | 'bucket'>, key: string): Promise<string> {
  const got = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return got.Body!.transformToString();
}

describe('a restart', () => {
  it('finds objects, versions, uploads, settings and credentials as they were', async () => {
    const dataFolder = folder();
    const before = await startTestCloud({ dataFolder });
    const { s3, bucket } = before;
    const big = 'big '.repeat(50_000);
    const first = await s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: 'a/1', Body: 'one', Metadata: { m: 'v' } }),
    );
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'a/1', Body: big }));
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'a/2', Body: 'gone' }));
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'a/2' }));
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: 'a/3' }));
    const at = { Bucket: bucket, Key: 'a/3', UploadId };
    const { ETag } = await s3.send(new UploadPartCommand({ ...at, PartNumber: 1, Body: 'part' }));
    s3.destroy();
    await before.cloud.close();

    const after = await startTestCloud({ dataFolder });
    expect({ ...after.cloud.description, s3Endpoint: '', kmsEndpoint: '', cognitoEndpoint: '' }).toEqual({
      ...before.cloud.description,
      s3Endpoint: '',
      kmsEndpoint: '',
      cognitoEndpoint: '',
    });
    expect(await textAt(after, 'a/1')).toBe(big);
    const old = await after.s3.send(
      new GetObjectCommand({ Bucket: bucket, Key: 'a/1', VersionId: first.VersionId }),
    );
    expect([await old.Body!.transformToString(), old.Metadata, old.ETag]).toEqual([
      'one',
      { m: 'v' },
      first.ETag,
    ]);
    expect(await outcome(textAt(after, 'a/2'))).toBe('404 NoSuchKey');
    expect((await after.s3.send(new ListPartsCommand(at))).Parts).toHaveLength(1);
    const parts = { MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
    await after.s3.send(new CompleteMultipartUploadCommand({ ...at, ...parts }));
    expect(await textAt(after, 'a/3')).toBe('part');
    after.s3.destroy();
    await after.cloud.close();
  });

  it('makes the bucket again what options and policy files say', async () => {
    const dataFolder = folder();
    const before = await startTestCloud({ dataFolder });
    const rules = [{ AllowedOrigins: ['https://evil.example'], AllowedMethods: ['GET'] }];
    await before.s3.send(
      new PutBucketCorsCommand({ Bucket: before.bucket, CORSConfiguration: { CORSRules: rules } }),
    );
    before.s3.destroy();
    await before.cloud.close();
    const after = await startTestCloud({ dataFolder, allowedOrigins: ['https://app.example'] });
    const preflight = async (origin: string) => {
      const headers = { origin, 'access-control-request-method': 'GET' };
      return (await fetch(`${after.endpoint}/${after.bucket}/x`, { method: 'OPTIONS', headers })).status;
    };
    expect([await preflight('https://evil.example'), await preflight('https://app.example')]).toEqual([
      403, 200,
    ]);
    after.s3.destroy();
    await after.cloud.close();
  });

  it('is refused while another local cloud works on the same folder', async () => {
    const dataFolder = folder();
    const first = await startTestCloud({ dataFolder });
    await expect(startTestCloud({ dataFolder })).rejects.toThrow('in use');
    await first.cloud.close();
    const second = await startTestCloud({ dataFolder });
    await second.cloud.close();
  });

  it.runIf(process.platform === 'linux')(
    'is refused to a second one that keeps its temporary files elsewhere',
    async () => {
      const dataFolder = folder();
      const first = await startTestCloud({ dataFolder });
      vi.stubEnv('TMPDIR', folder());
      await expect(startTestCloud({ dataFolder })).rejects.toThrow('in use');
      vi.unstubAllEnvs();
      await first.cloud.close();
    },
  );
});

describe('a body that does not arrive whole', () => {
  it('leaves no object and no file', async () => {
    const { cloud, s3, bucket, dataFolder } = await startTestCloud({ dataFolder: folder() });
    const bodies = join(dataFolder, 's3', bucket, 'bodies');
    const key = freshKey();
    const command = new PutObjectCommand({ Bucket: bucket, Key: key, ContentLength: 3 * MEBIBYTE });
    const url = await getSignedUrl(s3, command, { expiresIn: 60 });
    const sending = request(url, { method: 'PUT', headers: { 'content-length': 3 * MEBIBYTE } });
    const failed = new Promise((resolve) => sending.on('error', resolve));
    sending.write(bytesOf(2 * MEBIBYTE));
    await expect.poll(() => readdirSync(bodies).length, { timeout: 10_000 }).toBe(1);
    sending.destroy();
    await failed;
    await expect.poll(() => readdirSync(bodies).length, { timeout: 10_000 }).toBe(0);
    expect(await outcome(textAt({ s3, bucket }, key))).toBe('404 NoSuchKey');
    s3.destroy();
    await cloud.close();
  });

  it('of an earlier run is removed at start', async () => {
    const dataFolder = folder();
    const first = await startTestCloud({ dataFolder });
    await first.s3.send(new PutObjectCommand({ Bucket: first.bucket, Key: 'a/x', Body: bytesOf(100_000) }));
    first.s3.destroy();
    await first.cloud.close();
    const bodies = join(dataFolder, 's3', first.bucket, 'bodies');
    writeFileSync(join(bodies, 'ffffffffffffffffffffffffffffffff'), 'left behind');
    mkdirSync(join(dataFolder, 's3', 'never-acknowledged'));
    const second = await startTestCloud({ dataFolder });
    expect(readdirSync(bodies)).toHaveLength(1);
    second.s3.destroy();
    await second.cloud.close();
  });
});

describe('a download', () => {
  it('goes on to its end when the version is deleted for good meanwhile', async () => {
    const { cloud, s3, bucket, dataFolder } = await startTestCloud({ dataFolder: folder() });
    const at = { Bucket: bucket, Key: freshKey() };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at));
    const bodies = [bytesOf(8 * MEBIBYTE), bytesOf(8 * MEBIBYTE), bytesOf(8 * MEBIBYTE)];
    const Parts = await Promise.all(
      bodies.map(async (Body, index) => {
        const part = { PartNumber: index + 1 };
        return {
          ...part,
          ETag: (await s3.send(new UploadPartCommand({ ...at, UploadId, ...part, Body }))).ETag,
        };
      }),
    );
    const { VersionId } = await s3.send(
      new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }),
    );
    const response = await fetch(await getSignedUrl(s3, new GetObjectCommand(at)));
    // Nothing is read yet: most of the object is still on the other side of the connection.
    await s3.send(new DeleteObjectCommand({ ...at, VersionId }));
    expect(await outcome(textAt({ s3, bucket }, at.Key))).toBe('404 NoSuchKey');
    const got = Buffer.from(await response.arrayBuffer());
    expect(got.equals(Buffer.concat(bodies))).toBe(true);
    const left = () => readdirSync(join(dataFolder, 's3', bucket, 'bodies')).length;
    await expect.poll(left, { timeout: 10_000 }).toBe(0);
    s3.destroy();
    await cloud.close();
  });
});

describe('a full disk', () => {
  it('is answered with 507, leaves nothing in part, and loses nothing', async () => {
    const dataFolder = folder();
    const server = await startProcess(dataFolder, 2 * MEBIBYTE);
    const s3 = clientOf(server);
    const { bucket } = server.description;
    const put = (key: string, body: Uint8Array) =>
      outcome(s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body })));
    const bodies = join(dataFolder, 's3', bucket, 'bodies');
    expect(await put('a/fits', bytesOf(2 * MEBIBYTE))).toBe('200 OK');
    // Each fails at another place: while the body comes in, and at its end. What is much longer is cut off, and may not
    // see why.
    for (const sizeBytes of [2 * MEBIBYTE + 1, 6 * MEBIBYTE, 30 * MEBIBYTE])
      expect(await put('a/large', bytesOf(sizeBytes))).toBe('507 InsufficientStorage');
    expect(readdirSync(bodies)).toHaveLength(1);
    // Small bodies go to the log, which is full at some point.
    const kept = new Map<string, Uint8Array>();
    let refused = 0;
    for (let n = 0; n < 60; n++) {
      const body = bytesOf(60_000);
      const got = await put(`a/${String(n)}`, body);
      expect(['200 OK', '507 InsufficientStorage']).toContain(got);
      if (got === '200 OK') kept.set(`a/${String(n)}`, body);
      refused += Number(got !== '200 OK');
    }
    expect(refused).toBeGreaterThan(0);
    expect(kept.size).toBeGreaterThan(20);
    s3.destroy();
    expect(await server.terminate()).toBe(0);
    const again = await startProcess(dataFolder);
    const client = clientOf(again);
    for (const [key, body] of kept) {
      const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      expect(Buffer.compare(await got.Body!.transformToByteArray(), body)).toBe(0);
    }
    expect(await outcome(client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a/x', Body: 'x' })))).toBe(
      '200 OK',
    );
    client.destroy();
    await again.terminate();
  });
});

describe('memory', () => {
  it('does not grow with the size of a body, up or down', { timeout: 120_000 }, async () => {
    const dataFolder = folder();
    const server = await startProcess(dataFolder);
    const s3 = clientOf(server);
    const { bucket } = server.description;
    const sizeBytes = (isLongForm ? 1024 : 256) * MEBIBYTE;
    const block = bytesOf(MEBIBYTE);
    const command = new PutObjectCommand({ Bucket: bucket, Key: 'a/big', ContentLength: sizeBytes });
    const url = await getSignedUrl(s3, command, { expiresIn: 300 });
    const beforeBytes = server.peakBytes();
    const status = await new Promise((resolve, reject) => {
      const sending = request(
        url,
        { method: 'PUT', headers: { 'content-length': sizeBytes } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      sending.on('error', reject);
      let left = sizeBytes / MEBIBYTE;
      const more = () => {
        while (left > 0) {
          left--;
          if (!sending.write(block)) {
            sending.once('drain', more);
            return;
          }
        }
        sending.end();
      };
      more();
    });
    expect(status).toBe(200);
    const read = await fetch(await getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: 'a/big' })));
    const hash = createHash('sha256');
    for await (const bytes of read.body!) hash.update(bytes as Uint8Array);
    const expected = createHash('sha256');
    for (let n = 0; n < sizeBytes / MEBIBYTE; n++) expected.update(block);
    expect(hash.digest('hex')).toBe(expected.digest('hex'));
    expect(server.peakBytes() - beforeBytes).toBeLessThan(150 * MEBIBYTE);
    s3.destroy();
    await server.terminate();
  });
});

describe('the log', () => {
  interface Entry {
    readonly name: string;
  }

  const openLog = async (path: string) => {
    const records: { name: string; body: string | undefined }[] = [];
    const extents: (Parameters<RecordLog['read']>[0] | undefined)[] = [];
    const log = await RecordLog.open(path, (meta, extent) => {
      records.push({ name: (meta as Entry).name, body: undefined });
      extents.push(extent);
    });
    for (const [index, extent] of extents.entries())
      if (extent) records[index]!.body = log.read(extent).toString();
    return { log, records };
  };
  const nothing = () => undefined;

  it('yields what was appended, bodies included', async () => {
    const path = join(folder(), 'log');
    const { log } = await openLog(path);
    const names = Array.from({ length: 100 }, (_, index) => String(index));
    await Promise.all(
      names.map((name) => log.append({ name }, name === '5' ? undefined : Buffer.from(name), nothing)),
    );
    await log.close();
    const again = await openLog(path);
    expect(again.records).toEqual(names.map((name) => ({ name, body: name === '5' ? undefined : name })));
    await again.log.close();
  });

  it('loses only what was never acknowledged, wherever its last write is torn', async () => {
    const path = join(folder(), 'log');
    const { log } = await openLog(path);
    await log.append({ name: 'first' }, Buffer.from('body'), nothing);
    const wholeBytes = statSync(path).size;
    await log.append({ name: 'second' }, Buffer.from('another body'), nothing);
    await log.close();
    const all = readFileSync(path);
    for (let cutBytes = wholeBytes; cutBytes < all.length; cutBytes++) {
      writeFileSync(path, all.subarray(0, cutBytes));
      const cut = await openLog(path);
      expect(cut.records.map(({ name }) => name)).toEqual(['first']);
      expect(statSync(path).size).toBe(wholeBytes);
      await cut.log.close();
      // A write whose pages did not all reach the disk reads as zeros in places.
      const zeroed = Buffer.from(all);
      zeroed.fill(0, cutBytes);
      writeFileSync(path, zeroed);
      const holed = await openLog(path);
      expect(holed.records.map(({ name }) => name)).toEqual(['first']);
      await holed.log.close();
    }
  });

  it('refuses to start when what is damaged cannot be a torn write', async () => {
    const path = join(folder(), 'log');
    const { log } = await openLog(path);
    await log.append({ name: 'first' }, undefined, nothing);
    const body = Buffer.alloc(60_000);
    for (let n = 0; n < 300; n++) await log.append({ name: 'filler' }, body, nothing);
    await log.close();
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20);
    writeFileSync(path, bytes);
    await expect(openLog(path)).rejects.toThrow('log is damaged at byte 0');
  });

  it('refuses to start, and keeps every byte, when a whole record lies behind a damaged one', async () => {
    const path = join(folder(), 'log');
    const { log } = await openLog(path);
    for (const name of ['first', 'second', 'third']) await log.append({ name }, Buffer.from(name), nothing);
    await log.close();
    const whole = readFileSync(path);
    const lastAt = whole.indexOf('{"name":"third"}') - 16;
    // Each bit rot in turn: lengths, checksums, JSON and bodies of all that was acknowledged before the last record.
    for (let at = 0; at < lastAt; at++) {
      const rotten = Buffer.from(whole);
      rotten.writeUInt8(rotten.readUInt8(at) ^ 0x40, at);
      writeFileSync(path, rotten);
      await expect(openLog(path), String(at)).rejects.toThrow(/^log is damaged at byte \d+.*restore/);
      expect(readFileSync(path).equals(rotten)).toBe(true);
    }
  });

  it('keeps what is alive when it is compacted under load', async () => {
    const path = join(folder(), 'log');
    const { log } = await openLog(path);
    const live = new Map<string, { meta: Entry; extent: Parameters<RecordLog['read']>[0] | undefined }>();
    const add = (name: string) =>
      log.append({ name }, Buffer.from(`body of ${name}`), (extent) =>
        live.set(name, { meta: { name }, extent }),
      );
    for (let n = 0; n < 50; n++) await add(String(n));
    for (let n = 0; n < 40; n++) live.delete(String(n));
    const before = log.sizeBytes;
    const adding = Promise.all(Array.from({ length: 20 }, (_, n) => add(`late ${String(n)}`)));
    log.compact(() => [...live.values()]);
    const readAll = () => {
      for (const [name, { extent }] of live) expect(log.read(extent!).toString()).toBe(`body of ${name}`);
    };
    while (log.sizeBytes >= before) {
      readAll();
      await nextTurn();
    }
    await adding;
    readAll();
    await log.close();
    expect(statSync(path).size).toBeLessThan(before);
    const again = await openLog(path);
    expect(again.records.map(({ name }) => name).sort()).toEqual([...live.keys()].sort());
    await again.log.close();
  });

  it('is not harmed by an unfinished compaction', async () => {
    const path = join(folder(), 'log');
    const { log } = await openLog(path);
    await log.append({ name: 'first' }, undefined, nothing);
    await log.close();
    writeFileSync(`${path}.new`, 'half');
    appendFileSync(path, 'torn');
    truncateSync(path, statSync(path).size - 1);
    const again = await openLog(path);
    expect(again.records.map(({ name }) => name)).toEqual(['first']);
    await again.log.close();
  });
});

describe('a data folder that is copied while it is in use', () => {
  const BLOCK = /^### Copying the data while it runs$[^]*?^```sh\n([^]*?)^```/m;

  /** The commands of docs/OPERATING.md, one by one. */
  function documented(): string[] {
    const text = readFileSync(new URL('../../../../docs/OPERATING.md', import.meta.url), 'utf8');
    return (BLOCK.exec(text)?.[1] ?? '').trim().split('\n');
  }

  /** A cloud that stores something more before each of the commands. */
  async function copyWhileStoring(commands: readonly string[]) {
    const place = folder();
    const { cloud, s3, bucket } = await startTestCloud({ dataFolder: join(place, 'data') });
    const store = async (Key: string) => {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: bytesOf(MEBIBYTE) }));
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${Key}-small`, Body: Key }));
    };
    await store('a/before');
    for (const [index, command] of commands.entries()) {
      await store(`a/${String(index)}`);
      execFileSync('sh', ['-c', command], { cwd: place });
    }
    s3.destroy();
    await cloud.close();
    const said: string[] = [];
    const copy = await startTestCloud({
      dataFolder: join(place, 'copy'),
      warn: (sentence) => said.push(sentence),
    });
    onTestFinished(async () => {
      copy.s3.destroy();
      await copy.cloud.close();
    });
    return { copy, said };
  }

  it('as docs/OPERATING.md says, is whole: what was stored before is there, and nothing is missed', async () => {
    const commands = documented();
    expect(commands.length).toBeGreaterThan(2);
    const { copy, said } = await copyWhileStoring(commands);
    expect(said).toEqual([]);
    for (const key of ['a/before', 'a/0']) {
      expect((await textAt(copy, key)).length).toBeGreaterThanOrEqual(MEBIBYTE / 2);
      expect(await textAt(copy, `${key}-small`)).toBe(key);
    }
  });

  it('bodies first, is said to lack what came between, by its keys; the rest is served', async () => {
    const [make = '', log = '', bodies = '', others = ''] = documented();
    const { copy, said } = await copyWhileStoring([make, bodies, log, others]);
    expect(said).toEqual([
      expect.stringMatching(/^bucket halfkey: bodies missing or cut short: 1, under a\/2\. The rest/),
    ]);
    expect(await textAt(copy, 'a/2-small')).toBe('a/2');
    expect((await textAt(copy, 'a/1')).length).toBeGreaterThanOrEqual(MEBIBYTE / 2);
  });

  it('is looked through for bodies that are cut short, too, and for the parts of uploads', async () => {
    const dataFolder = folder();
    const { cloud, s3, bucket } = await startTestCloud({ dataFolder });
    for (const Key of ['a/unharmed', 'a/short'])
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: bytesOf(MEBIBYTE + Key.length) }));
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: 'a/upload' }));
    const part = { Bucket: bucket, Key: 'a/upload', UploadId, PartNumber: 1, Body: bytesOf(MEBIBYTE) };
    await s3.send(new UploadPartCommand(part));
    s3.destroy();
    await cloud.close();
    const bodies = join(dataFolder, 's3', bucket, 'bodies');
    for (const name of readdirSync(bodies)) {
      const { size } = statSync(join(bodies, name));
      if (size === MEBIBYTE) rmSync(join(bodies, name));
      if (size === MEBIBYTE + 'a/short'.length) truncateSync(join(bodies, name), size - 1);
    }
    const said: string[] = [];
    const after = await startTestCloud({ dataFolder, warn: (sentence) => said.push(sentence) });
    expect(said).toEqual([expect.stringContaining('missing or cut short: 2, under a/short, a/upload. ')]);
    expect((await textAt(after, 'a/unharmed')).length).toBeGreaterThan(0);
    after.s3.destroy();
    await after.cloud.close();
  });
});
