import workerUrl from './crypto.worker.ts?worker&url';

export const SERVICE_WORKER_URL = '/service-worker.js';

const SCRIPTS: readonly string[] = [workerUrl, SERVICE_WORKER_URL];

// The only Trusted Types policy of ours: it lets two scripts of this build through, and nothing else.
const policy = window.trustedTypes?.createPolicy('halfkey-scripts', {
  createScriptURL: (url) => {
    if (!SCRIPTS.includes(url)) throw new TypeError('expected one of the scripts of this build');
    return url;
  },
});

/** @throws {TypeError} for any URL but the worker's and the service worker's */
export function scriptUrl(url: string): string {
  // TypeScript's DOM types take the trusted value for a string here, as the browser does.
  return (policy?.createScriptURL(url) ?? url) as unknown as string;
}
