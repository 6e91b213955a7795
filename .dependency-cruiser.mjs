/** Who may import whom: a file goes from page and state by way of worker and session to drive and transfer, and never back. */
const LEAVES = '^src/lib/((bytes|errors|line|shown-name)\\.ts$|concurrency/)';
const CONTRACT = '^broker/contract/';
const SERVICE_WORKER = '^src/service-worker/messages\\.ts$';
const lib = (...rooms) => `^src/lib/(${rooms.join('|')})/`;

/** A room may import itself and what is listed. */
const only = (name, from, ...to) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(src|broker|tests)/', pathNot: [from, ...to] },
});

/** Rooms within a room: each may import those that stand before it, and what lies beside them. */
const inOrder = (room, ...inner) =>
  inner.slice(0, -1).map((name, index) => ({
    name: `${room}${name}`,
    severity: 'error',
    from: { path: `^${room}${name}/` },
    to: { path: `^${room}(${inner.slice(index + 1).join('|')})/` },
  }));

/** What of npm a room may import, apart from types; of Node.js nothing, if it is the app's. */
const packages = (from, ...names) => ({
  name: `packages of ${from}`,
  severity: 'error',
  from: { path: from },
  to: {
    dependencyTypes: [
      'npm',
      'npm-dev',
      'npm-optional',
      'npm-peer',
      'npm-no-pkg',
      'npm-unknown',
      ...(from.startsWith('^src') ? ['core'] : []),
    ],
    dependencyTypesNot: ['type-only'],
    pathNot: names.map((name) => `node_modules/${name}/`),
  },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    only('leaves', LEAVES),
    only('contract', CONTRACT),
    only('crypto', lib('crypto'), LEAVES, '^broker/contract/ed25519-point\\.ts$'),
    only('journal', lib('journal'), LEAVES, lib('crypto'), '^broker/contract/(segment|ids)\\.ts$'),
    only('protocol', lib('protocol'), LEAVES),
    only('account', lib('account'), LEAVES, lib('crypto', 'protocol'), CONTRACT),
    only('inbox', lib('inbox'), LEAVES, lib('crypto', 'journal')),
    only('store', lib('store'), LEAVES, lib('crypto')),
    only('remote', lib('remote'), LEAVES, CONTRACT, '^src/lib/crypto/(digest|private-keys)\\.ts$'),
    only('vault', lib('vault'), LEAVES, CONTRACT, lib('crypto', 'journal', 'inbox', 'store', 'remote')),
    only(
      'drive',
      lib('drive'),
      LEAVES,
      CONTRACT,
      lib('protocol', 'crypto', 'journal', 'account', 'store', 'remote', 'vault'),
    ),
    only(
      'transfer',
      lib('transfer'),
      LEAVES,
      CONTRACT,
      lib('protocol', 'crypto', 'journal', 'inbox', 'account', 'store', 'remote', 'vault'),
    ),
    only(
      'session',
      lib('session'),
      LEAVES,
      CONTRACT,
      lib(
        'protocol',
        'crypto',
        'journal',
        'inbox',
        'account',
        'store',
        'remote',
        'vault',
        'drive',
        'transfer',
      ),
    ),
    only(
      'worker',
      lib('worker'),
      LEAVES,
      lib('protocol', 'account', 'store', 'remote', 'drive', 'transfer', 'session'),
    ),
    only(
      'platform',
      lib('platform'),
      LEAVES,
      lib('protocol'),
      '^src/lib/worker/(host|scripts)\\.ts$',
      SERVICE_WORKER,
    ),
    only(
      'state',
      lib('state'),
      LEAVES,
      lib('protocol', 'platform'),
      '^src/lib/worker/(host|scripts)\\.ts$',
      SERVICE_WORKER,
    ),
    only('ui', lib('ui'), LEAVES, lib('protocol', 'platform')),
    only('routes', '^src/routes/', LEAVES, lib('protocol', 'platform', 'state', 'ui'), '^src/[a-z]+\\.css$'),
    // What is said on the port of a download is the transfer's to define.
    only(
      'service-worker',
      '^src/service-worker/',
      LEAVES,
      '^src/lib/transfer/(download/download-stream|upload/background|upload/upload-news)\\.ts$',
      '^src/lib/remote/(body|broker|s3|session-proof)\\.ts$',
      '^src/lib/store/(database|part-files|session-key|transfer-settings|upload-records)\\.ts$',
      '^src/lib/crypto/(digest|private-keys)\\.ts$',
    ),
    ...inOrder('src/lib/journal/', 'entries', 'state'),
    ...inOrder('src/lib/transfer/', 'download', 'adoption', 'upload'),
    ...inOrder('src/lib/ui/', 'transfers', 'settings', 'account', 'drive'),
    ...inOrder('broker/domain/', 'state', 'account', 'auth', 'vault'),
    only('ports', '^broker/ports/', CONTRACT),
    only('domain', '^broker/domain/', CONTRACT, '^broker/ports/'),
    only('broker-routes', '^broker/routes/', CONTRACT, '^broker/(ports|domain)/'),
    only('aws', '^broker/aws/', CONTRACT, '^broker/(ports|domain)/'),
    only('drain', '^broker/drain\\.ts$'),
    only('local-cloud', '^broker/local/', CONTRACT, '^broker/drain\\.ts$'),
    packages(LEAVES),
    packages(lib('protocol', 'platform')),
    packages(lib('crypto'), 'hpke', 'hash-wasm'),
    packages(lib('journal', 'inbox'), 'cborg'),
    packages(
      lib('account'),
      '@scure/(base|bip39)',
      '@serenity-kit/opaque',
      '@zxcvbn-ts/[a-z-]+',
      'cborg',
      'valibot',
    ),
    packages(lib('store'), 'idb', 'valibot'),
    packages(lib('remote'), 'dpop', 'valibot'),
    packages(lib('vault', 'session'), 'valibot'),
    packages(lib('drive'), 'valibot', '@leeoniya/ufuzzy'),
    packages(lib('transfer'), 'client-zip', 'valibot'),
    packages(lib('worker')),
    packages(lib('state'), 'svelte'),
    packages(lib('ui'), 'svelte', 'uqr', 'virtua'),
    packages('^src/routes/', 'svelte', '@sveltejs/kit'),
    packages('^src/service-worker/', 'workbox-[a-z]+'),
    packages(CONTRACT, 'valibot'),
    packages('^broker/ports/'),
    packages('^broker/domain/', 'valibot', '@serenity-kit/opaque', 'jose', 'otplib'),
    packages('^broker/routes/', 'hono', '@hono/node-server', 'valibot'),
    packages('^broker/aws/', '@aws-sdk/[a-z0-9-]+', 'valibot'),
    packages('^broker/local/', '@fastify/busboy', 'fast-xml-parser', 'jose', 'valibot'),
    packages('^broker/launch/'),
    {
      name: 'runtime-packages',
      comment: 'what the bundles leave outside has to be installed in production too',
      severity: 'error',
      from: { path: '^broker/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    exclude: { path: '\\.svelte-kit|tests/vectors' },
  },
};
