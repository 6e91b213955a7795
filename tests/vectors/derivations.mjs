// Known answers of every derivation in docs/FORMAT.md, computed with node:crypto alone and from the document, not from
// the code under test. `node tests/vectors/derivations.mjs > tests/vectors/derivations.json` writes them down.
import { createHash, hkdfSync } from 'node:crypto';
import { fileURLToPath } from 'node:url';

const SUITE = 'halfkey/1';
const vault = 'eu-central-1:00000000-0000-4000-8000-000000000001';
const blob = 'AAECAwQFBgcICQoLDA0ODw';
const account = 'EBESExQVFhcYGRobHB0eHw';

/** A fixed stand-in for a random secret. */
const secret = (/** @type {string} */ name, sizeBytes = 32) =>
  Buffer.concat([
    createHash('sha256').update(`${name}/1`).digest(),
    createHash('sha256').update(`${name}/2`).digest(),
  ]).subarray(0, sizeBytes);

const u32be = (/** @type {number} */ value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

const prefixed = (/** @type {(string | Buffer)[]} */ fields) =>
  Buffer.concat(
    fields.map((field) => {
      const bytes = Buffer.from(field);
      return Buffer.concat([u32be(bytes.length), bytes]);
    }),
  );

const halves = Buffer.concat([secret('KMS half'), secret('vault key')]);
const vaultEpochs = [0, 1, 4294967295];

/** @type {{ purpose: string, ikm: Buffer, salt?: Buffer, ids: (string | Buffer)[] }[]} */
const derivations = [
  ...['file', 'inbox'].flatMap((purpose) =>
    vaultEpochs.map((epoch) => ({
      purpose,
      ikm: halves,
      salt: secret('salt'),
      ids: [vault, blob, u32be(epoch)],
    })),
  ),
  { purpose: 'journal', ikm: secret('vault key'), ids: [vault] },
  { purpose: 'cache', ikm: secret('vault key'), ids: [vault] },
  { purpose: 'change', ikm: secret('vault key'), ids: [vault] },
  ...[1, 2].map((epoch) => ({
    purpose: 'previous-key',
    ikm: secret('vault key'),
    ids: [vault, u32be(epoch)],
  })),
  { purpose: 'export-wrap', ikm: secret('export key', 64), ids: [account] },
  { purpose: 'start-wrap', ikm: secret('stretched passphrase'), ids: [account] },
  { purpose: 'source-tag', ikm: secret('content key'), ids: [] },
  { purpose: 'upload-label', ikm: secret('vault key'), ids: [vault] },
  { purpose: 'recovery-wrap', ikm: secret('recovery entropy'), ids: [] },
  { purpose: 'recovery-auth', ikm: secret('recovery entropy'), ids: [] },
  // No purpose of Halfkey: the ends of what a derivation can be given.
  { purpose: '', ikm: secret('edge'), ids: [] },
  { purpose: 'a', ikm: secret('edge'), ids: ['bc'] },
  { purpose: 'ab', ikm: secret('edge'), ids: ['c'] },
  { purpose: 'abc', ikm: secret('edge'), ids: [''] },
  { purpose: 'Ünïcødé €', ikm: secret('edge'), ids: ['😀'] },
];

/** What stands in derivations.json. */
export const answers = derivations.map(({ purpose, ikm, salt = Buffer.alloc(0), ids }) => {
  const info = prefixed([SUITE, purpose, ...ids]);
  return {
    purpose,
    ikm: ikm.toString('hex'),
    salt: salt.toString('hex'),
    // A text as it is, bytes as { hex }.
    ids: ids.map((id) => (typeof id === 'string' ? id : { hex: id.toString('hex') })),
    info: info.toString('hex'),
    key: Buffer.from(hkdfSync('sha256', ikm, salt, info, 32)).toString('hex'),
  };
});
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${JSON.stringify(answers, undefined, 2)}\n`);
}
