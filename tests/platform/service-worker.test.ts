import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  activeServiceWorker,
  registerServiceWorker,
  sendUploadsLater,
} from '../../src/lib/platform/service-worker.ts';
import { UPLOADS_TAG } from '../../src/service-worker/messages.ts';

vi.mock('../../src/lib/worker/scripts.ts', () => ({
  BYSTANDER: { url: '/bystander.js', scope: '/workers/' },
  SERVICE_WORKER_URL: '/service-worker.js',
  scriptUrl: (url: string) => url,
}));

const ACTIVE = { state: 'activated' } as ServiceWorker;
let registration: object | undefined;
let ready: Promise<{ active: ServiceWorker | null }>;
let registered: [string, RegistrationOptions][];

beforeEach(() => {
  registration = undefined;
  ready = new Promise(() => undefined);
  registered = [];
  vi.stubGlobal('navigator', {
    serviceWorker: {
      getRegistration: () => Promise.resolve(registration),
      get ready() {
        return ready;
      },
      register: (url: string, options: RegistrationOptions) => {
        registered.push([url, options]);
        return Promise.resolve({ scope: options.scope });
      },
    },
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('the service worker', () => {
  it('is the active one, at once', async () => {
    registration = { active: ACTIVE };
    expect(await activeServiceWorker()).toBe(ACTIVE);
  });

  it('is waited for where it is just being installed, for four seconds', async () => {
    vi.useFakeTimers();
    registration = { active: null };
    let answered: ServiceWorker | 'none' | undefined;
    void activeServiceWorker().then((active) => (answered = active ?? 'none'));
    await vi.advanceTimersByTimeAsync(3_999);
    expect(answered).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(answered).toBe('none');
    ready = Promise.resolve({ active: ACTIVE });
    expect(await activeServiceWorker()).toBe(ACTIVE);
  });

  it('is none where none is registered, or the browser has no such thing', async () => {
    expect(await activeServiceWorker()).toBeUndefined();
    vi.stubGlobal('navigator', {});
    expect(await activeServiceWorker()).toBeUndefined();
  });
});

describe('a page of a build', () => {
  beforeEach(() => {
    vi.stubEnv('PROD', true);
  });

  it('registers the one for its workers before the one for all, neither from the HTTP cache', async () => {
    expect(await registerServiceWorker()).toEqual({ scope: '/' });
    expect(registered).toEqual([
      ['/bystander.js', { scope: '/workers/', updateViaCache: 'none' }],
      ['/service-worker.js', { scope: '/', updateViaCache: 'none' }],
    ]);
  });

  it('goes on without one where the browser refuses it', async () => {
    const warned = vi.spyOn(console, 'warn').mockReturnValue();
    vi.stubGlobal('navigator', { serviceWorker: { register: () => Promise.reject(new Error('no')) } });
    expect(await registerServiceWorker()).toBeUndefined();
    expect(warned).toHaveBeenCalledOnce();
  });
});

it('registers none in development', async () => {
  vi.stubEnv('PROD', false);
  expect(await registerServiceWorker()).toBeUndefined();
  expect(registered).toEqual([]);
});

describe('what is to be sent later', () => {
  it('is sent by the browser, where it knows how to', async () => {
    const tags: string[] = [];
    registration = { sync: { register: (tag: string) => Promise.resolve(void tags.push(tag)) } };
    await sendUploadsLater();
    expect(tags).toEqual([UPLOADS_TAG]);
  });

  it('is left to the next visit elsewhere, and where it was switched off', async () => {
    const off = { sync: { register: () => Promise.reject(new DOMException('x', 'NotAllowedError')) } };
    for (const each of [off, {}, undefined]) {
      registration = each;
      await expect(sendUploadsLater()).resolves.toBeUndefined();
    }
    vi.stubGlobal('navigator', {});
    await expect(sendUploadsLater()).resolves.toBeUndefined();
  });
});
