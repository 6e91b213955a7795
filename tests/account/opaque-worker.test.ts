import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FromOpaque, ToOpaque } from '../../src/lib/account/opaque-flow.ts';

/** A worker that answers as a test wants it to. */
class StandIn extends EventTarget {
  static readonly made: StandIn[] = [];
  static answer: (message: ToOpaque) => FromOpaque | Event;
  readonly url: unknown;
  isRunning = true;

  constructor(url: unknown) {
    super();
    this.url = url;
    StandIn.made.push(this);
  }

  postMessage(message: ToOpaque): void {
    const answer = StandIn.answer(message);
    queueMicrotask(() =>
      this.dispatchEvent(answer instanceof Event ? answer : new MessageEvent('message', { data: answer })),
    );
  }

  terminate(): void {
    this.isRunning = false;
  }
}

const OUTCOME = { message: 'KE3', exportKey: new Uint8Array(64), serverPublicKey: 'server' };
const rightly = ({ kind }: ToOpaque): FromOpaque =>
  kind === 'finish' ? { kind: 'finished', outcome: OUTCOME } : { kind: 'begun', request: `KE1 of a ${kind}` };
const running = () => StandIn.made.filter(({ isRunning }) => isRunning).length;

/** The module as it comes to be in a worker of its own. */
async function load() {
  vi.resetModules();
  return import('../../src/lib/account/opaque-worker.ts');
}

beforeEach(() => {
  StandIn.made.length = 0;
  StandIn.answer = rightly;
  vi.stubGlobal('Worker', StandIn);
  // Node has none.
  vi.stubGlobal('ErrorEvent', class extends Event {});
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the worker that runs OPAQUE', () => {
  it('does one flow, and ends with the block that began it', async () => {
    const { beginLogin, beginRegistration } = await load();
    {
      using login = await beginLogin('a passphrase');
      expect(login.request).toBe('KE1 of a login');
      expect(await login.finish('KE2', 'server')).toEqual(OUTCOME);
      expect(running()).toBe(1);
    }
    expect(running()).toBe(0);
    {
      using registration = await beginRegistration('a passphrase');
      expect(registration.request).toBe('KE1 of a registration');
    }
    expect([StandIn.made.length, running()]).toEqual([2, 0]);
  });

  it('ends, too, when what it was begun for fails', async () => {
    const { beginLogin } = await load();
    const work = async () => {
      using _login = await beginLogin('a passphrase');
      await Promise.reject(new Error('no answer'));
    };
    await expect(work()).rejects.toThrow('no answer');
    expect(running()).toBe(0);
  });

  it.each([
    ['app_unreachable', () => new Event('error')],
    ['login_refused', (): FromOpaque => ({ kind: 'failed', failure: { code: 'login_refused', detail: {} } })],
  ])('ends when it does not begin: %s', async (code, answer) => {
    const { beginLogin } = await load();
    StandIn.answer = answer;
    await expect(beginLogin('a passphrase')).rejects.toMatchObject({ code });
    expect(running()).toBe(0);
  });

  it('says why a flow does not end well', async () => {
    const { beginLogin } = await load();
    using login = await beginLogin('a passphrase');
    StandIn.answer = () => ({ kind: 'failed', failure: { code: 'server_unknown', detail: {} } });
    await expect(login.finish('KE2')).rejects.toMatchObject({ code: 'server_unknown' });
  });

  it('is what the browser lacks where it makes none', async () => {
    const { beginLogin } = await load();
    vi.stubGlobal('Worker', undefined);
    await expect(beginLogin('a passphrase')).rejects.toMatchObject({ code: 'browser_lacks' });
  });

  it('is the one script that this worker’s policy lets through', async () => {
    const policies: [string, { createScriptURL: (url: string) => string }][] = [];
    const createPolicy = (name: string, rules: { createScriptURL: (url: string) => string }) => {
      policies.push([name, rules]);
      return { createScriptURL: (url: string) => ({ trusted: rules.createScriptURL(url) }) };
    };
    vi.stubGlobal('trustedTypes', { createPolicy });
    const { beginLogin } = await load();
    for (let count = 0; count < 2; count += 1) {
      using _login = await beginLogin('a passphrase');
    }
    expect(policies.map(([name]) => name)).toEqual(['halfkey-scripts']);
    expect(StandIn.made[1]?.url).toEqual({ trusted: expect.stringContaining('opaque.worker') as unknown });
    expect(() => policies[0]?.[1].createScriptURL('/other.js')).toThrow(TypeError);
  });
});
