import workerUrl from './crypto.worker.ts?worker&url';

export const SERVICE_WORKER_URL = '/service-worker.js';
/** A service worker for the folder of the crypto worker, which uploads pass without a copy. */
export const BYSTANDER = { url: '/bystander.js', scope: workerUrl.slice(0, workerUrl.lastIndexOf('/') + 1) };

const SCRIPTS: readonly string[] = [workerUrl, SERVICE_WORKER_URL, BYSTANDER.url];

// The page's only Trusted Types policy of ours: it lets three scripts of this build through, and nothing else.
const policy = window.trustedTypes?.createPolicy('halfkey-scripts', {
  createScriptURL: (url) => {
    if (!SCRIPTS.includes(url)) throw new TypeError('expected one of the scripts of this build');
    return url;
  },
});

/** @throws {TypeError} for any URL but the worker's and the two service workers' */
export function scriptUrl(url: string): string {
  // TypeScript's DOM types take the trusted value for a string here, as the browser does.
  return (policy?.createScriptURL(url) ?? url) as unknown as string;
}
