// Makes the golden account of version 1 anew: `node tests/vectors/golden-v1/make.mjs`, in the project's folder. It was
// made once. Every later version of the program must open these files as they are; nobody makes them again to please a
// test.
import { json, makeAnew } from '../make-anew.mjs';

/** @typedef {typeof import('../../reader/golden-account.ts')} Making */

await makeAnew(new URL('./', import.meta.url), '/tests/reader/golden-account.ts', async (/** @type {Making} */ { makeGoldenAccount }) => {
  const { golden, files } = await makeGoldenAccount();
  return [['golden.json', json(golden)], ...files];
});
