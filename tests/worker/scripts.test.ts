import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

interface Rules {
  createScriptURL(url: string): unknown;
}
let policies: [string, Rules][];

beforeEach(() => {
  policies = [];
  vi.resetModules();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** The module as it comes to be in a browser with Trusted Types, or without. */
async function load(hasTrustedTypes: boolean) {
  const createPolicy = (name: string, rules: Rules) => {
    policies.push([name, rules]);
    return { createScriptURL: (url: string) => ({ trusted: rules.createScriptURL(url) }) };
  };
  vi.stubGlobal('window', hasTrustedTypes ? { trustedTypes: { createPolicy } } : {});
  return import('../../src/lib/worker/scripts.ts');
}

describe('scripts', () => {
  it('of this build are trusted by the one policy of ours', async () => {
    const { scriptUrl, SERVICE_WORKER_URL, BYSTANDER } = await load(true);
    expect(scriptUrl(SERVICE_WORKER_URL)).toEqual({ trusted: SERVICE_WORKER_URL });
    expect(scriptUrl(BYSTANDER.url)).toEqual({ trusted: BYSTANDER.url });
    expect(policies.map(([name]) => name)).toEqual(['halfkey-scripts']);
  });

  it.each([
    'https://evil.test/x.js',
    '/service-worker.js?x',
    'service-worker.js',
    'data:text/javascript,1',
    '',
  ])('of no build are not: %j', async (url) => {
    const { scriptUrl } = await load(true);
    expect(() => scriptUrl(url)).toThrow(TypeError);
  });

  it('are what they are where the browser knows no such types', async () => {
    const { scriptUrl, SERVICE_WORKER_URL } = await load(false);
    expect(scriptUrl(SERVICE_WORKER_URL)).toBe(SERVICE_WORKER_URL);
  });

  it('have a bystander for the folder of the crypto worker alone', async () => {
    const { BYSTANDER } = await load(false);
    expect(BYSTANDER.scope).toMatch(/^\/.+\/$/);
  });
});
