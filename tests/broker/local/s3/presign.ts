import type { S3Client } from '@aws-sdk/client-s3';
import {
  encode,
  signingKey,
  sign,
  stringToSign,
  canonicalRequest,
} from '../../../../broker/local/sigv4/canonical.ts';
import { parseTarget, WireHeaders } from '../../../../broker/local/http-headers.ts';

/** Signs any request line, those too for which the SDK has no command. @returns the target with its signature */
export async function presign(
  s3: S3Client,
  endpoint: string,
  method: string,
  target: string,
): Promise<string> {
  const { accessKeyId, secretAccessKey } = await s3.config.credentials();
  const amzDate = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = { date: amzDate.slice(0, 8), region: 'us-east-1', service: 's3' };
  const credential = `${accessKeyId}/${scope.date}/us-east-1/s3/aws4_request`;
  const mark = target.includes('?') ? '&' : '?';
  const query =
    `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encode(credential)}&X-Amz-Date=${amzDate}` +
    `&X-Amz-Expires=60&X-Amz-SignedHeaders=host`;
  const unsigned = `${target}${mark}${query}`;
  const parsed = parseTarget(unsigned);
  if (!parsed) return unsigned;
  const headers = new WireHeaders(['host', new URL(endpoint).host]);
  const canonical = canonicalRequest({
    method,
    ...parsed,
    headers,
    signedHeaders: ['host'],
    payloadHash: 'UNSIGNED-PAYLOAD',
  });
  const signature = sign(signingKey(secretAccessKey, scope), stringToSign(amzDate, scope, canonical));
  return `${unsigned}&X-Amz-Signature=${signature}`;
}
