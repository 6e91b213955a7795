import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseTarget, WireHeaders } from './http-headers.ts';
import type { JsonHandler } from './kms/aws-json.ts';
import { Refusal } from './refusal.ts';
import { sha256Hex } from './sigv4/canonical.ts';
import { verifySignature, type Verifier } from './sigv4/verify.ts';
import { drain } from './unread-body.ts';

/** A service that speaks AWS's JSON protocol on the shared port. */
export interface JsonService {
  /** How `X-Amz-Target` begins: `TrentService.`. */
  readonly targetPrefix: string;
  /** As the credential scope names it: `kms`. */
  readonly signingName: string;
  readonly handle: JsonHandler;
}

const MAXIMUM_BODY_BYTES = 256 * 1024;

/** What these services call the refusals of a signature. */
const CODES: ReadonlyMap<string, string> = new Map([
  ['AccessDenied', 'AccessDeniedException'],
  ['AuthorizationHeaderMalformed', 'IncompleteSignatureException'],
  ['ExpiredToken', 'ExpiredTokenException'],
  ['InvalidAccessKeyId', 'UnrecognizedClientException'],
  ['RequestTimeTooSkewed', 'InvalidSignatureException'],
  ['SignatureDoesNotMatch', 'InvalidSignatureException'],
]);

/**
 * Verifies and answers one request of a JSON service. A request without a signature is handed on without a principal.
 */
export async function answerJson(
  request: IncomingMessage,
  response: ServerResponse,
  service: JsonService,
  verifier: Verifier,
  requestId: string,
): Promise<void> {
  let status: number;
  let body: Readonly<Record<string, unknown>>;
  try {
    const bytes = await readBody(request);
    const headers = WireHeaders.of(request);
    const target = parseTarget(request.url ?? '');
    if (!target) throw new Refusal(400, 'MalformedHttpRequestException', 'could not parse the specified URI');
    // The hash is of what has arrived, so that the signature covers the body whatever the client claims.
    const verified = verifySignature(
      {
        method: request.method ?? '',
        path: target.path,
        query: target.query,
        headers,
        service: service.signingName,
        payloadHash: sha256Hex(bytes),
      },
      verifier,
    );
    ({ status, body } = await service.handle(headers.get('x-amz-target') ?? '', bytes, verified?.principal));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    ({ status } = error);
    body = { __type: CODES.get(error.code) ?? error.code, message: error.message };
  }
  const text = JSON.stringify(body);
  if (!request.complete) drain(request);
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': requestId,
    ...(!request.complete && { connection: 'close' }),
  });
  response.end(text);
}

/** By events, and not by iteration, which costs more than all the rest of a small request. */
function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // The answer does not wait for a body that says itself that it is too long.
    if (Number(request.headers['content-length'] ?? 0) > MAXIMUM_BODY_BYTES) throw tooLong();
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    const take = (chunk: Uint8Array) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= MAXIMUM_BODY_BYTES) {
        chunks.push(chunk);
        return;
      }
      request.off('data', take);
      reject(tooLong());
    };
    request.on('data', take);
    request.once('end', () => {
      resolve(Buffer.concat(chunks));
    });
    request.once('error', reject);
  });
}

const tooLong = (): Refusal =>
  new Refusal(413, 'RequestEntityTooLargeException', `expected at most ${String(MAXIMUM_BODY_BYTES)} bytes`);
