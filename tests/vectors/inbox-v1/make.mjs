// Makes the golden files of inbox records, drafts and inbox keys anew: `node tests/vectors/inbox-v1/make.mjs`, in the
// project's folder. They were made once. Later versions of the program must open them as they are; nobody makes them
// again to please a test.
import { json, makeAnew } from '../make-anew.mjs';

/** @typedef {typeof import('../../inbox/golden-making.ts')} Making */

await makeAnew(new URL('./', import.meta.url), '/tests/inbox/golden-making.ts', async (/** @type {Making} */ { makeGoldenInbox }) => {
  const { golden, files } = await makeGoldenInbox();
  return [['golden.json', json(golden)], ...files];
});
