// Makes the vectors anew: `node tests/vectors/adversarial-v1/make.mjs`, in the project's folder. They are the same each
// time, until tests/adversarial changes.
import { json, makeAnew } from '../make-anew.mjs';

/** @typedef {typeof import('../../adversarial/making.ts')} Making */

await makeAnew(new URL('./', import.meta.url), '/tests/adversarial/making.ts', (/** @type {Making} */ { makeKit }) =>
  Promise.resolve(Object.entries(makeKit()).map(([kind, vectors]) => /** @type {const} */ ([`${kind}.json`, json(vectors)]))),
);
