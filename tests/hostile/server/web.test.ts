import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import type { TestBroker } from '../../support/broker.ts';
import { ORIGIN } from '../../support/broker.ts';
import { built } from '../../support/built.ts';
import { billOfMaterials, digestsOf } from '../../../broker/launch/release.mjs';
import { row } from '../support/row.ts';
import { buildIn, checkOut } from './support/checkout.ts';
import { setUpHouse } from './support/house.ts';

const house = setUpHouse();
let broker: TestBroker;
/** Folder of the package that is served. */
let first: string;

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(folder, path)).isFile(),
  );

beforeAll(async () => {
  first = await built('app');
  const folder = join(first, 'build');
  const appHtml = readFileSync(join(folder, 'app.html'), 'utf8');
  broker = await house.newBroker({ settings: { files: { folder, appHtml } } });
}, 300_000);

const ask = (path: string, init: RequestInit = {}) => broker.app.request(`${ORIGIN}${path}`, init);

/** Directives of a policy; of one named twice a browser takes the first, and so is that here. */
function directivesOf(policy: string): Map<string, string[]> {
  const directives = new Map<string, string[]>();
  for (const part of policy.split(';')) {
    const [name = '', ...values] = part.trim().split(/\s+/);
    if (name !== '' && !directives.has(name)) directives.set(name, values);
  }
  return directives;
}

row(
  'H2',
  {
    attack: 'a header that lets in what it should not',
    tried:
      'the headers of every kind of answer (page, script, worker, service worker, API, error, redirect, stream) read and linted',
  },
  async (t) => {
    const files = filesOf(join(first, 'build'));
    const script = files.find((path) => /^_app\/immutable\/entry\/.*\.js$/.test(path)) ?? '';
    const worker = files.find((path) => /worker.*\.js$/.test(path) && path.includes('immutable')) ?? script;
    const page = { headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate' } };
    const answers: [string, Response][] = [
      ['page', await ask('/', page)],
      ['deep link', await ask('/files/x', page)],
      ['script', await ask(`/${script}`)],
      ['worker', await ask(`/${worker}`)],
      ['service worker', await ask('/service-worker.js')],
      ['API', await ask('/api/session')],
      ['refused', await ask('/api/signup/start', { method: 'POST', body: '{}' })],
      [
        'too large',
        await ask('/api/signup/start', {
          method: 'POST',
          body: 'x'.repeat(100_000),
          headers: { 'content-type': 'application/json' },
        }),
      ],
      ['nothing', await ask('/api/nothing')],
      ['missing file', await ask('/_app/immutable/missing.js')],
      ['health', await ask('/healthz')],
      ['other method', await ask('/', { method: 'DELETE' })],
      [
        'preflight',
        await ask('/api/session', { method: 'OPTIONS', headers: { origin: 'https://evil.example' } }),
      ],
      ['redirect', await broker.app.request('http://127.0.0.1:8787/x')],
    ];
    const appHtml = readFileSync(join(first, 'build', 'app.html'), 'utf8');
    const inline = [...appHtml.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(
      ([, code = '']) => code,
    );
    const hashes = inline.map((code) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`);
    for (const [kind, { headers }] of answers) {
      const policy = headers.get('content-security-policy') ?? '';
      expect([kind, policy]).not.toEqual([kind, '']);
      expect(policy).not.toMatch(/'unsafe-inline'|'unsafe-eval'|'strict-dynamic'|\*|\bdata:|https?:(?!\/\/)/);
      const directives = directivesOf(policy);
      expect(directives.get('default-src')).toEqual(["'none'"]);
      expect(directives.get('connect-src')).toEqual(["'self'", house.cloud.cloud.endpoint]);
      expect(directives.get('frame-ancestors')).toEqual(["'none'"]);
      for (const name of ['object-src', 'base-uri', 'form-action'])
        expect(directives.get(name)).toEqual(["'none'"]);
      expect(directives.get('require-trusted-types-for')).toEqual(["'script'"]);
      expect(directives.get('trusted-types')).toEqual(['svelte-trusted-html', 'halfkey-scripts']);
      expect(new Set(directives.get('script-src'))).toEqual(
        new Set(["'self'", "'wasm-unsafe-eval'", ...hashes]),
      );
      expect(hashes).toHaveLength(1);
      for (const [name, value] of [
        ['cross-origin-opener-policy', 'same-origin'],
        ['cross-origin-embedder-policy', 'require-corp'],
        ['cross-origin-resource-policy', 'same-origin'],
        ['x-content-type-options', 'nosniff'],
        ['referrer-policy', 'no-referrer'],
        ['x-frame-options', 'DENY'],
      ] as const) {
        expect([kind, name, headers.get(name)]).toEqual([kind, name, value]);
      }
      for (const name of [
        'server',
        'x-powered-by',
        'access-control-allow-origin',
        'access-control-allow-credentials',
      ]) {
        expect([kind, name, headers.get(name)]).toEqual([kind, name, null]);
      }
      const isForever = (headers.get('cache-control') ?? '').includes('immutable');
      expect([kind, isForever]).toEqual([kind, kind === 'script' || kind === 'worker']);
      if (kind === 'API' || kind === 'refused') expect(headers.get('cache-control')).toBe('no-store');
      t.vary(1);
    }
    t.held('one hash for one inline script, no eval but WASM’s, connections to itself and the bucket');
  },
);

row(
  'H5',
  {
    attack: 'a service worker that loads code from elsewhere, or stays for good',
    tried:
      'every script of the build searched for importScripts, eval, foreign URLs of code; how the service worker is served and registered',
  },
  async (t) => {
    const folder = join(first, 'build');
    for (const path of filesOf(folder).filter((name) => name.endsWith('.js'))) {
      const code = readFileSync(join(folder, path), 'utf8');
      expect([path, /\bimportScripts\s*\(/.test(code)]).toEqual([path, false]);
      expect([path, /\bnew Function\s*\(|[^.\w]eval\s*\(/.test(code)]).toEqual([path, false]);
      expect([path, /import\s*\(\s*["'`]https?:|from\s*["']https?:/.test(code)]).toEqual([path, false]);
      t.vary(1);
    }
    const served = await ask('/service-worker.js');
    expect(served.headers.get('cache-control')).toBe('no-cache');
    const registers = filesOf(folder)
      .filter((name) => name.endsWith('.js'))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .filter((code) => code.includes('.register('));
    expect(registers.length).toBeGreaterThan(0);
    expect(registers.some((code) => /updateViaCache:\s*[`"']none[`"']/.test(code))).toBe(true);
    t.held('no script is loaded but the build’s own; the service worker is asked for anew at each visit');
  },
);

row(
  'H6',
  {
    attack: 'one user is served other code than the sources make',
    tried:
      'every file of the build fetched from the broker and compared with the published digests; in full the build made again elsewhere, byte for byte',
  },
  async (t) => {
    const sums = digestsOf(first);
    for (const line of sums
      .split('\n')
      .filter((one) => one.includes('  build/') && !/\.(br|gz)$/.test(one))) {
      const [digest = '', path = ''] = line.split('  ');
      const answer = await ask(`/${path.slice('build/'.length)}`);
      const bytes = Buffer.from(await answer.arrayBuffer());
      expect([path, createHash('sha256').update(bytes).digest('hex')]).toEqual([path, digest]);
      t.vary(1);
    }
    t.held('what is served is what was built');
    if (!t.full) return;
    const second = checkOut({ packages: 'linked' });
    await buildIn(second);
    expect(digestsOf(second.folder)).toBe(sums);
    second.remove();
    t.vary(1);
    t.held('built twice, in two folders, it is the same byte for byte');
  },
);

interface Lockfile {
  readonly packages: Readonly<
    Record<
      string,
      {
        version?: string;
        resolved?: string;
        integrity?: string;
        link?: boolean;
        hasInstallScript?: boolean;
        dev?: boolean;
        license?: string;
      }
    >
  >;
}
const MAY_BE_LICENSED = /^(MIT|Apache-2\.0|ISC|0BSD|BSD-[23]-Clause)$/;

row(
  'H8',
  {
    attack: 'a package that was changed, added, or runs a script when it is installed',
    tried:
      'the lockfile and the lists in docs/DEPENDENCIES.md; in full `npm ci --ignore-scripts` in an empty folder, and its build byte for byte',
  },
  async (t) => {
    const root = first;
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lockfile;
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
      'dependencies' | 'devDependencies',
      Record<string, string>
    >;
    for (const [path, entry] of Object.entries(lock.packages)) {
      if (path === '') continue;
      expect([path, entry.resolved, entry.link, entry.hasInstallScript]).toEqual([
        path,
        undefined,
        undefined,
        undefined,
      ]);
      expect([path, entry.integrity]).toEqual([path, expect.stringMatching(/^sha512-[A-Za-z0-9+/]{86}==$/)]);
      if (!entry.dev) expect([path, entry.license]).toEqual([path, expect.stringMatching(MAY_BE_LICENSED)]);
      t.vary(1);
    }
    const known = readFileSync(new URL('../../../docs/DEPENDENCIES.md', import.meta.url), 'utf8');
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
      const short = name
        .replace(/^@aws-sdk\/client/, '')
        .replace(/^@zxcvbn-ts\/language-.*/, '@zxcvbn-ts/core');
      expect([name, known.includes(`\`${name}\``) || known.includes(`\`${short}\``)]).toEqual([name, true]);
      t.vary(1);
    }
    expect(Object.keys(manifest.dependencies)).toHaveLength(13);
    const bill = JSON.parse(billOfMaterials(root)) as {
      components: { purl: string; hashes: { content: string }[] }[];
    };
    expect(bill.components).toHaveLength(Object.keys(lock.packages).length - 1);
    for (const { purl, hashes } of bill.components) {
      expect([purl, hashes[0]?.content]).toEqual([
        expect.stringMatching(/^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@\d/),
        expect.stringMatching(/^[0-9a-f]{128}$/),
      ]);
    }
    t.held(
      'exact versions, SHA-512 for each package, no host, no install script, permissive licences in what runs',
    );
    if (!t.full) return;
    const clean = checkOut({ packages: 'none' });
    await clean.run('npm', 'ci', '--ignore-scripts');
    await buildIn(clean);
    expect(digestsOf(clean.folder)).toBe(digestsOf(first));
    clean.remove();
    t.vary(1);
    t.held('installed anew without scripts, it builds to the same bytes');
  },
);
