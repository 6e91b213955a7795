import { afterAll, beforeAll, expect } from 'vitest';
import { parseTarget, WireHeaders } from '../../../broker/local/http-headers.ts';
import { Refusal } from '../../../broker/local/refusal.ts';
import { parseXml } from '../../../broker/local/s3/xml.ts';
import { verifySignature } from '../../../broker/local/sigv4/verify.ts';
import { startTestCloud, type TestCloud } from '../../support/broker.ts';
import { row } from '../support/row.ts';
import { type Random, seeded } from './support/random.ts';
import { S3Client } from '@aws-sdk/client-s3';
import { sendRaw } from '../../broker/local/s3/fixture.ts';
import { presign } from '../../broker/local/s3/presign.ts';

/** One document or header may take that long at most; a parser that tries all ways takes minutes. */
const SLOW_MS = 1000;
/** A busy machine makes anything slow once. What is slow by itself is slow each time. */
const MOST_SLOW_TRIES = 5;
const MAX_BODY = 1024 * 1024;

let cloud: TestCloud;
let s3: S3Client;

beforeAll(async () => {
  cloud = await startTestCloud();
  const { description } = cloud.cloud;
  s3 = new S3Client({
    region: description.region,
    endpoint: description.s3Endpoint,
    forcePathStyle: true,
    credentials: description,
  });
});
afterAll(async () => {
  s3.destroy();
  await cloud.end();
});

/** Runs what may refuse, and nothing else. @returns the refusal's code, or `taken` */
function outcome(run: () => unknown): string {
  for (let tries = 0; tries < MOST_SLOW_TRIES; tries++) {
    const begunAt = performance.now();
    const code = codeOf(run);
    if (performance.now() - begunAt <= SLOW_MS) return code;
  }
  throw new Error(`expected an answer within ${String(SLOW_MS)} ms`);
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'taken';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

const GOOD_XML =
  '<?xml version="1.0"?><CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Part><PartNumber>1</PartNumber><ETag>"x"</ETag></Part></CompleteMultipartUpload>';
/** What XML parsers have died of. */
const XML_BOMBS = [
  '<!DOCTYPE a [<!ENTITY b "xxxx"><!ENTITY c "&b;&b;&b;&b;">]><CompleteMultipartUpload>&c;</CompleteMultipartUpload>',
  '<!DOCTYPE a SYSTEM "file:///etc/passwd"><CompleteMultipartUpload/>',
  '<CompleteMultipartUpload><![CDATA[x]]></CompleteMultipartUpload>',
  '<CompleteMultipartUpload>&xxe;</CompleteMultipartUpload>',
  '<CompleteMultipartUpload>&#x110000;</CompleteMultipartUpload>',
  '<__proto__><x>1</x></__proto__>',
  `<CompleteMultipartUpload>${'<a>'.repeat(100_000)}`,
  `<CompleteMultipartUpload>${'<a>'.repeat(20_000)}${'</a>'.repeat(20_000)}</CompleteMultipartUpload>`,
  `<${'a'.repeat(MAX_BODY)}`,
  '<'.repeat(MAX_BODY),
  '</'.repeat(MAX_BODY / 2),
  `<a ${'b="" '.repeat(MAX_BODY / 5)}`,
  `<CompleteMultipartUpload ${'b '.repeat(MAX_BODY / 2)}>`,
  `<CompleteMultipartUpload>${'&amp;'.repeat(MAX_BODY / 5)}</CompleteMultipartUpload>`,
  `<?xml ${' '.repeat(MAX_BODY)}?><CompleteMultipartUpload/>`,
  `<CompleteMultipartUpload${' '.repeat(MAX_BODY)}`,
  '\ufeff<CompleteMultipartUpload/>',
  '',
  '\0',
];

function changed(random: Random, text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  const parts = [...bytes];
  for (let times = 1 + random.below(4); times > 0; times -= 1) {
    const at = random.below(parts.length);
    switch (random.below(4)) {
      case 0:
        parts[at] = random.below(256);
        break;
      case 1:
        parts.splice(at, 1 + random.below(20));
        break;
      case 2:
        parts.splice(at, 0, ...random.bytes(1 + random.below(8)));
        break;
      default:
        parts.splice(
          at,
          0,
          ...Buffer.from(random.pick(['<', '>', '&', '<!', '</', ';', ',', '=', '%', '/', '?', '\0', '..'])),
        );
    }
  }
  return Buffer.from(parts).toString('latin1');
}

row(
  'F19',
  {
    attack: 'XML that is none, or too much, at the local cloud',
    tried:
      'bombs, entities, depth, and a good document with bytes changed: 20,000 (in short 500) in this process',
  },
  async (t) => {
    const random = seeded(19);
    const documents = [
      ...XML_BOMBS,
      ...Array.from({ length: t.full ? 20_000 : 500 }, () => changed(random, GOOD_XML)),
    ];
    for (const document of documents) {
      const code = outcome(() => parseXml(Buffer.from(document, 'latin1'), 'CompleteMultipartUpload'));
      expect(['taken', 'MalformedXML']).toContain(code);
      if (code !== 'taken') t.refused(code);
      t.vary(1);
    }
    expect(outcome(() => parseXml(Buffer.from(GOOD_XML), 'CompleteMultipartUpload'))).toBe('taken');
    return Promise.resolve();
  },
);

row(
  'F19',
  {
    attack: 'signatures that are none, at the local cloud',
    tried:
      'a good presigned URL and a good Authorization header with bytes changed, members doubled, left out or endless: 20,000 (in short 1,000) in this process',
  },
  async (t) => {
    const random = seeded(4);
    const secretAccessKey = 'secret';
    const verifier = {
      findCredential: (accessKeyId: string) =>
        accessKeyId === 'AKID'
          ? {
              accessKeyId,
              secretAccessKey,
              principal: { kind: 'administrator' } as const,
            }
          : undefined,
      region: 'us-east-1',
      nowMs: () => Date.parse('2026-11-01T00:00:00Z'),
    };
    const header = `AWS4-HMAC-SHA256 Credential=AKID/20261101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'a'.repeat(64)}`;
    const query = `/halfkey/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20261101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=${'0'.repeat(64)}`;
    const long = [
      `AWS4-HMAC-SHA256 ${','.repeat(30_000)}`,
      `AWS4-HMAC-SHA256${' '.repeat(30_000)}x`,
      `AWS4-HMAC-SHA256 Credential=${'/'.repeat(30_000)}, SignedHeaders=${';'.repeat(2000)}, Signature=`,
    ];
    for (let nth = 0; nth < (t.full ? 20_000 : 1000); nth += 1) {
      const authorization = nth < long.length ? long[nth] : changed(random, header);
      const url = nth % 2 === 0 ? '/halfkey/a' : changed(random, query);
      const target = parseTarget(url);
      if (!target) {
        t.refused('InvalidURI');
        t.vary(1);
        continue;
      }
      const wire = [
        'host',
        'localhost',
        'x-amz-date',
        random.chance(0.8) ? '20261101T000000Z' : changed(random, '20261101T000000Z'),
      ];
      if (nth % 2 === 0) wire.push('authorization', authorization ?? '');
      if (random.chance(0.1)) wire.push('x-amz-date', '20261101T000001Z');
      let verified: unknown;
      const code = outcome(() => {
        verified = verifySignature(
          {
            method: 'GET',
            ...target,
            headers: new WireHeaders(wire),
            service: 's3',
            payloadHash: 'UNSIGNED-PAYLOAD',
          },
          verifier,
        );
      });
      // Taken for not signed at all, or refused: nobody is let in by chance.
      expect(verified).toBeUndefined();
      t.refused(code === 'taken' ? 'anonymous' : code);
      t.vary(1);
    }
    return Promise.resolve();
  },
);

row(
  'F19',
  {
    attack: 'anything at all at the local cloud’s port',
    tried:
      'random methods, targets, headers and bodies, unsigned and signed by the administrator, byte for byte: 5,000 (in short 300)',
  },
  async (t) => {
    const random = seeded(7);
    const { endpoint } = cloud.cloud;
    const faults: string[] = [];
    const targets = [
      '/',
      '/halfkey',
      '/halfkey/a',
      '/halfkey?list-type=2',
      '/halfkey?versions',
      '/halfkey?uploads',
      '/halfkey/x?uploads',
      '/halfkey/x?uploadId=x',
      '/halfkey?delete',
      '/halfkey?cors',
      '/halfkey?policy',
      '/nobucket/x',
      '/halfkey/%2e%2e/x',
      '/halfkey/x?partNumber=1&uploadId=y',
    ];
    const services = [
      'TrentService.Decrypt',
      'TrentService.GenerateDataKey',
      'TrentService.X',
      'AWSCognitoIdentityService.GetId',
      'AWSCognitoIdentityService.GetCredentialsForIdentity',
    ];
    for (let nth = 0; nth < (t.full ? 5000 : 300); nth += 1) {
      const method = random.pick(['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'XYZ']);
      const plain = random.chance(0.3)
        ? changed(random, random.pick(targets)).replaceAll(/[\s\0-\x20\x7f-\xff]/g, 'x')
        : random.pick(targets);
      const target = random.chance(0.5)
        ? await presign(s3, endpoint, method, plain.startsWith('/') ? plain : `/${plain}`)
        : plain;
      const body = random.chance(0.5)
        ? Buffer.from(changed(random, GOOD_XML), 'latin1')
        : random.bytes(random.below(400));
      const headers: [string, string][] = [
        ['Host', new URL(endpoint).host],
        ['Content-Length', String(random.chance(0.95) ? body.length : random.below(body.length + 1))],
      ];
      if (random.chance(0.2)) headers.push(['X-Amz-Target', random.pick(services)]);
      if (random.chance(0.2))
        headers.push([
          'Content-Type',
          random.pick([
            'application/xml',
            'multipart/form-data; boundary=x',
            'multipart/form-data',
            'application/x-amz-json-1.1',
          ]),
        ]);
      if (random.chance(0.1))
        headers.push([
          'Range',
          random.pick(['bytes=0-', 'bytes=-0', 'bytes=9-1', 'bytes=0-99999999999999999999', 'x']),
        ]);
      if (random.chance(0.1))
        headers.push([
          'x-amz-content-sha256',
          random.pick(['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'x']),
        ]);
      if (random.chance(0.05)) headers.push(['Transfer-Encoding', 'chunked']);
      const { status, text } = await sendRaw(endpoint, { method, target, headers, body }).catch(() => ({
        status: 400,
        text: '',
      }));
      if (status === 500 || /node_modules|\n {4}at /.test(text))
        faults.push(`#${String(nth)} ${method} ${plain}: ${String(status)} ${text.slice(-300)}`);
      if (status >= 400) t.refused(String(status));
      t.vary(1);
    }
    expect(faults.slice(0, 5)).toEqual([]);
    // It is still there, and whole.
    const { state } = cloud.connect();
    expect(await state.create('a/fuzzed', Buffer.from('x'))).toBe('created');
    expect(Buffer.from((await state.read('a/fuzzed'))?.bytes ?? []).toString()).toBe('x');
  },
);
