/** Who may import whom: a file goes left to right (page, state, worker, transfer, crypto) and never back. */
const LEAVES = '^src/lib/(bytes|errors)\\.ts$';
const CONTRACT = '^broker/contract/';
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

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    only('leaves', LEAVES),
    only('contract', CONTRACT),
    only('crypto', lib('crypto'), LEAVES),
    only('journal', lib('journal'), LEAVES, lib('crypto'), '^broker/contract/(segment|ids)\\.ts$'),
    only('account', lib('account'), LEAVES, lib('crypto'), CONTRACT),
    only('inbox', lib('inbox'), LEAVES, lib('crypto', 'journal')),
    only('store', lib('store'), LEAVES, lib('crypto')),
    only('remote', lib('remote'), LEAVES, CONTRACT),
    only(
      'transfer',
      lib('transfer'),
      LEAVES,
      CONTRACT,
      lib('crypto', 'journal', 'inbox', 'account', 'store', 'remote'),
      '^src/lib/worker/(protocol|vault)\\.ts$',
    ),
    only('protocol', '^src/lib/worker/protocol\\.ts$', '^src/lib/errors\\.ts$'),
    only(
      'worker',
      lib('worker'),
      LEAVES,
      CONTRACT,
      lib('transfer', 'crypto', 'journal', 'inbox', 'account', 'store', 'remote'),
    ),
    only(
      'state',
      lib('state'),
      LEAVES,
      '^src/lib/worker/(host|protocol|scripts)\\.ts$',
      '^src/service-worker/messages\\.ts$',
    ),
    only('ui', lib('ui'), LEAVES, '^src/lib/worker/protocol\\.ts$', lib('state')),
    only('routes', '^src/routes/', LEAVES, lib('state', 'ui'), '^src/[a-z]+\\.css$'),
    // What is said on the port of a download is the transfer's to define.
    only(
      'service-worker',
      '^src/service-worker/',
      LEAVES,
      '^src/lib/transfer/(download/download-stream|upload/background|upload/upload-news)\\.ts$',
      '^src/lib/remote/(broker|s3)\\.ts$',
      '^src/lib/store/(database|part-files|upload-records)\\.ts$',
      '^src/lib/crypto/digest\\.ts$',
    ),
    ...inOrder('src/lib/journal/', 'entries', 'state'),
    ...inOrder('src/lib/transfer/', 'download', 'adoption', 'upload'),
    ...inOrder('src/lib/worker/', 'drive', 'entry', 'session'),
    ...inOrder('src/lib/ui/', 'transfers', 'settings', 'account', 'drive'),
    ...inOrder('broker/domain/', 'state', 'account', 'vault'),
    only('ports', '^broker/ports/', CONTRACT),
    only('domain', '^broker/domain/', CONTRACT, '^broker/ports/'),
    only('broker-routes', '^broker/routes/', CONTRACT, '^broker/(ports|domain)/'),
    only('aws', '^broker/aws/', CONTRACT, '^broker/(ports|domain)/'),
    only('local-cloud', '^broker/local/', CONTRACT),
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
    exclude: { path: '\\.svelte-kit|node_modules|tests/vectors' },
  },
};
