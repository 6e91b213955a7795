import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseTarget, WireHeaders, type Target } from '../http-headers.ts';
import { accessDenied, Refusal, storageRefusal } from '../refusal.ts';
import { verifySignature, type Verifier } from '../sigv4/verify.ts';
import type { S3Answer, S3Call, S3World } from './call.ts';
import { corsHeaders, preflightHeaders } from './cors.ts';
import { postObject, type UnsignedCall } from './post-object.ts';
import { routeOperation } from './route.ts';
import { sendAnswer, sendRefusal, type Exchange } from './send.ts';

/** Answers S3 requests. */
export type S3Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
) => Promise<void>;

/** Reports a fault of our own: a stack may be logged, a request's target never. */
export type ReportFault = (error: unknown, requestId: string) => void;

/** S3 over HTTP, path-style only. */
export function createS3Handler(world: S3World, verifier: Verifier, report: ReportFault): S3Handler {
  return async (request, response, requestId) => {
    const exchange: Exchange = { request, response, requestId };
    response.setHeader('x-amz-request-id', requestId);
    response.setHeader('server', 'HalfkeyLocalCloud');
    try {
      const answer = await answerRequest(request, response, world, verifier);
      await sendAnswer(exchange, answer);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : storageRefusal(error);
      // A client that went away is not a fault of ours, and the answer is not read.
      if (!refusal && !request.destroyed) report(error, requestId);
      sendRefusal(exchange, refusal ?? new Refusal(500, 'InternalError', 'we encountered an internal error'));
    }
  };
}

async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  world: S3World,
  verifier: Verifier,
): Promise<S3Answer> {
  const headers = WireHeaders.of(request);
  const method = request.method ?? '';
  const target = parseTarget(request.url ?? '');
  if (!target) throw new Refusal(400, 'InvalidURI', 'could not parse the specified URI');
  const { bucketName, key } = splitPath(target.path);
  const rules = world.store.find(bucketName)?.settings.cors;
  const origin = headers.get('origin');
  if (method === 'OPTIONS') {
    const asked = {
      origin,
      method: headers.get('access-control-request-method'),
      headers: headers.get('access-control-request-headers'),
    };
    return { status: 200, headers: preflightHeaders(rules, asked) };
  }
  for (const [name, value] of Object.entries(corsHeaders(rules, origin, method)))
    response.setHeader(name, value);
  const unsigned: UnsignedCall = {
    method,
    bucketName,
    key,
    query: target.query,
    headers,
    body: () => readBody(request, response),
    nowMs: verifier.nowMs(),
  };
  const isForm = headers.get('content-type')?.toLowerCase().startsWith('multipart/form-data') ?? false;
  if (method === 'POST' && bucketName !== '' && key === '' && isForm && target.query.pairs.length === 0)
    return postObject(unsigned, world, verifier);
  const call = verifyCall(unsigned, target, verifier);
  // Refused to everybody, administrators too: the policies forbid copies, and nothing here makes one.
  if (headers.get('x-amz-copy-source') !== undefined) throw accessDenied('copying objects is not allowed');
  return routeOperation(method, bucketName, key, target.query)(call, world);
}

function verifyCall(unsigned: UnsignedCall, target: Target, verifier: Verifier): S3Call {
  const { method, query, headers } = unsigned;
  const named = headers.get('x-amz-content-sha256') ?? query.get('X-Amz-Content-Sha256');
  const payloadHash = named ?? 'UNSIGNED-PAYLOAD';
  const verified = verifySignature(
    { method, path: target.path, query, headers, service: 's3', payloadHash },
    verifier,
  );
  if (!verified) throw accessDenied('the request is not signed');
  if (named === undefined && verified.authType === 'REST-HEADER')
    throw new Refusal(
      400,
      'InvalidRequest',
      'missing required header for this request: x-amz-content-sha256',
    );
  return { ...unsigned, ...verified, payloadHash };
}

function splitPath(path: string): { bucketName: string; key: string } {
  const slash = path.indexOf('/', 1);
  if (slash < 0) return { bucketName: path.slice(1), key: '' };
  return { bucketName: path.slice(1, slash), key: path.slice(slash + 1) };
}

async function* readBody(request: IncomingMessage, response: ServerResponse): AsyncGenerator<Uint8Array> {
  // Only here, when the request has passed all checks that need no body.
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
  // Not destroyed when it is left early: the answer still has to go out on the same socket.
  yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
}
