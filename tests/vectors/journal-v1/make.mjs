// Makes the golden files of the journal's first version anew: `node tests/vectors/journal-v1/make.mjs`, in the
// project's folder. They were made once. Later versions of the program must open them as they are; nobody makes them
// again to please a test.
import { json, makeAnew } from '../make-anew.mjs';

/** @typedef {typeof import('../../journal/golden-vault.ts')} Making */

await makeAnew(new URL('./', import.meta.url), '/tests/journal/golden-vault.ts', async (/** @type {Making} */ { makeGoldenVault }) => {
  const { keys, log, pages, expected } = await makeGoldenVault();
  return [
    ['keys.json', json(keys)],
    ['expected.json', json(expected)],
    ...log.map((bytes, seq) => /** @type {const} */ ([`log/${String(seq)}`, bytes])),
    ...[...pages].map(([name, bytes]) => /** @type {const} */ ([`snapshots/${name}`, bytes])),
  ];
});
