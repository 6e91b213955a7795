import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import adapter from '@sveltejs/adapter-static';
import { APP_SOURCES, digestOf } from './broker/launch/sources.mjs';

/**
 * The policy of everything that does not depend on where it runs. What does (the S3 origin) is added by the
 * broker as a header on every answer: policies in <meta> and header intersect, so neither may name less than
 * the page needs. Kit's bootstrap script is allowed by its hash alone.
 *
 * @type {NonNullable<import('@sveltejs/kit').KitConfig['csp']>}
 */
const csp = {
  mode: 'hash',
  directives: {
    'script-src': ['self', 'wasm-unsafe-eval'],
    'style-src': ['self'],
    // Kit's route announcer carries one inline style attribute.
    'style-src-attr': ['unsafe-hashes', 'sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo='],
    'img-src': ['self', 'blob:'],
    'media-src': ['self'],
    'font-src': ['self'],
    'worker-src': ['self'],
    'frame-src': ['self'],
    'manifest-src': ['self'],
    'object-src': ['none'],
    'base-uri': ['none'],
    'form-action': ['none'],
    'require-trusted-types-for': ['script'],
    'trusted-types': ['svelte-trusted-html', 'halfkey-scripts'],
  },
};

const BUILD = 'build';
/** Not of the shell: Kit's own two, which nothing asks for, the service worker itself, and what the browser's install dialog shows. */
const NOT_OF_THE_SHELL = /^(_app\/(version\.json|env\.js)$|service-worker\.js$|pictures\/)/;

/**
 * Names each file of the app with its digest in the service worker, which installs no other. The page that Kit makes last is among
 * them, so this can be done only when all is built.
 */
function pinFiles() {
  const names = readdirSync(BUILD, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(BUILD, name)).isFile() && !NOT_OF_THE_SHELL.test(name))
    .sort();
  const pinned = names.map((name) => [
    `/${name}`,
    `sha256-${createHash('sha256')
      .update(readFileSync(join(BUILD, name)))
      .digest('base64')}`,
  ]);
  const path = join(BUILD, 'service-worker.js');
  const [before, , after, ...more] = readFileSync(path, 'utf8').split(/(["'`])%halfkey\.files%\1/);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error('expected one place for the list of files in the service worker');
  }
  writeFileSync(path, before + JSON.stringify(JSON.stringify(pinned)) + after);
}

const shell = adapter({ fallback: 'app.html' });

/** @type {import('@sveltejs/kit').Config} */
export default {
  kit: {
    adapter: {
      ...shell,
      async adapt(builder) {
        await shell.adapt(builder);
        pinFiles();
        // The broker serves what was compressed here: nothing in it is secret, so nothing can be guessed by its length.
        await builder.compress(BUILD);
      },
    },
    alias: { $contract: 'broker/contract' },
    paths: { relative: false },
    // Kit's own registration would make a Trusted Types policy that lets any URL through.
    serviceWorker: { register: false },
    // Kit's own version is the time of the build, which would make every build another. This one differs exactly when the sources do:
    // whoever builds the same sources gets the same bytes, and browsers see a new version when there is one.
    version: { name: digestOf(APP_SOURCES).slice(0, 16) },
    csp,
  },
};
