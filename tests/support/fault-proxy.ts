import { type Interference, type PassingRequest, startRelay } from './relay.ts';

/** What happens to one request on its way to the local cloud. */
export type Fault =
  /** It never gets there: the connection is cut. */
  | { readonly kind: 'lost' }
  /** It has its effect, and the connection is cut before the answer. */
  | { readonly kind: 'reply-lost' }
  /** It has its effect, and of the answer's body half arrives: the connection stays, and nothing more comes. */
  | { readonly kind: 'half' }
  /** Another answer in place of the cloud's. */
  | { readonly kind: 'answer'; readonly status: number; readonly body: string; readonly after?: boolean };

export type SeenRequest = Omit<PassingRequest, 'headers'>;

/** A proxy that lets a test choose what goes wrong. */
export interface FaultProxy {
  readonly endpoint: string;
  /** Every request so far, in order. */
  readonly seen: SeenRequest[];
  /** Asked for each request; `undefined` lets it through. */
  fault: (request: SeenRequest) => Fault | undefined;
  close(): Promise<void>;
}

/** S3's error document. */
export const s3Error = (code: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>as the test wants it</Message></Error>`;

export async function startFaultProxy(cloudEndpoint: string): Promise<FaultProxy> {
  const relay = await startRelay(cloudEndpoint, (request) => {
    proxy.seen.push(request);
    return interferenceOf(proxy.fault(request), request);
  });
  const proxy: FaultProxy = { ...relay, seen: [], fault: () => undefined };
  return proxy;
}

function interferenceOf(fault: Fault | undefined, { target }: SeenRequest): Interference {
  switch (fault?.kind) {
    case undefined:
      return undefined;
    case 'lost':
      return { kind: 'drop-request' };
    case 'reply-lost':
      return { kind: 'drop-reply' };
    case 'half':
      return { kind: 'half-reply' };
    case 'answer': {
      const type = target ? 'application/x-amz-json-1.1' : 'application/xml';
      const reply = {
        status: fault.status,
        headers: { 'content-type': type },
        body: Buffer.from(fault.body),
      };
      return fault.after ? { kind: 'alter', alter: () => reply } : { kind: 'answer', reply };
    }
  }
}
