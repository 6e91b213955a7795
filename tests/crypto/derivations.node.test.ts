import { expect, test } from 'vitest';
import written from '../vectors/derivations.json';
import { answers } from '../vectors/derivations.mjs';

test('the known answers of the derivations are what node:crypto gives', () => {
  expect(answers).toEqual(written);
});
