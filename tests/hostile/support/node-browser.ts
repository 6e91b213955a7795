import { type Prover, SessionProver } from '../../../src/lib/remote/session-proof.ts';
import { ORIGIN } from '../../support/broker.ts';

/** What a broker's `fetch` is, as far as a browser cares. */
export type Broker = (request: Request) => Response | Promise<Response>;

/**
 * Changes one answer of the broker, or answers in its place: a hostile broker has all that the honest one has, and its
 * code.
 */
export type BrokerHook = (request: Request, honest: Broker) => Response | Promise<Response>;

/** One browser profile: an origin of its own under which the client finds the broker, with cookies of its own. */
export interface NodeBrowser {
  /** What the client's modules are given as the app's origin. */
  readonly origin: string;
  /** Of this profile's session key, for what the broker believes it is reached at. */
  readonly prover: Prover;
  /** Every request that left for the broker: method, path, body. */
  readonly sent: { readonly method: string; readonly path: string; readonly body: string }[];
  hook: BrokerHook | undefined;
}

const brokers = new Map<string, Broker>();
let count = 0;
let isInstalled = false;

/**
 * Lets the client's real modules run in Node against a broker in this process: `fetch` keeps cookies, says what a
 * browser says of itself, and goes to the broker without a port; everything else goes over the network.
 * `XMLHttpRequest` stands on `fetch`.
 */
export function openNodeBrowser(broker: Broker): NodeBrowser {
  install();
  const origin = `http://browser-${String(++count)}.localhost`;
  const cookies = new Map<string, string>();
  const browser: NodeBrowser = { origin, prover: proverFor(ORIGIN), sent: [], hook: undefined };
  brokers.set(origin, async (request) => {
    const body = request.method === 'GET' ? '' : await request.text();
    const url = new URL(request.url);
    browser.sent.push({ method: request.method, path: url.pathname, body });
    const headers = new Headers(request.headers);
    headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    headers.set('sec-fetch-site', 'same-origin');
    if (request.method !== 'GET') headers.set('origin', ORIGIN);
    const init = { method: request.method, headers, ...(request.method !== 'GET' && { body }) };
    const asked = new Request(`${ORIGIN}${url.pathname}${url.search}`, init);
    const response = await (browser.hook ? browser.hook(asked, broker) : broker(asked));
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /max-age=0/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  });
  return browser;
}

function proverFor(origin: string): Prover {
  const own = new SessionProver(() => Promise.resolve(undefined));
  return {
    sign: (request) =>
      own.sign({ ...request, url: new URL(request.url.pathname + request.url.search, origin) }),
    hear: (stage, headers) => {
      own.hear(stage, headers);
    },
    another: () => own.another(),
  };
}

/** The honest broker's JSON answer of one path, changed; others go through. */
export function changing(
  path: RegExp,
  change: (answer: Record<string, unknown>, request: Request) => Record<string, unknown>,
): BrokerHook {
  return async (request, honest) => {
    const response = await honest(request);
    if (!path.test(new URL(request.url).pathname) || !response.ok) return response;
    const answer = change((await response.json()) as Record<string, unknown>, request);
    const headers = new Headers(response.headers);
    headers.delete('content-length');
    return new Response(JSON.stringify(answer), { status: response.status, headers });
  };
}

function install(): void {
  if (isInstalled) return;
  isInstalled = true;
  const network = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const broker = brokers.get(new URL(request.url).origin);
    if (!broker) return network(request);
    request.signal.throwIfAborted();
    return broker(request);
  };
  globalThis.XMLHttpRequest = FetchRequest as unknown as typeof XMLHttpRequest;
  // Node 20 has none; the client names a device by it.
  if (!('navigator' in globalThis)) Object.assign(globalThis, { navigator: { userAgent: 'Node' } });
}

/** As much of XMLHttpRequest as a PUT needs. */
class FetchRequest {
  readonly upload: { onprogress?: (event: { loaded: number }) => void } = {};
  readonly #headers = new Headers();
  readonly #controller = new AbortController();
  #request: { method: string; url: string } = { method: 'GET', url: '' };
  #answered: Headers | undefined;
  status = 0;
  responseText = '';
  onload?: () => void;
  onerror?: () => void;
  onloadend?: () => void;

  open(method: string, url: string): void {
    this.#request = { method, url };
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers.set(name, value);
  }

  getResponseHeader(name: string): string | null {
    return this.#answered?.get(name) ?? null;
  }

  abort(): void {
    this.#controller.abort();
  }

  send(body: Blob): void {
    void this.#exchange(body);
  }

  async #exchange(body: Blob): Promise<void> {
    try {
      const { method, url } = this.#request;
      const response = await fetch(url, {
        method,
        headers: this.#headers,
        body: await body.arrayBuffer(),
        signal: this.#controller.signal,
      });
      this.upload.onprogress?.({ loaded: body.size });
      this.responseText = await response.text();
      this.#answered = response.headers;
      this.status = response.status;
      this.onload?.();
    } catch {
      if (!this.#controller.signal.aborted) this.onerror?.();
    } finally {
      this.onloadend?.();
    }
  }
}
