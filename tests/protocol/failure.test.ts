import { expect, it } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { toFailure } from '../../src/lib/protocol/failure.ts';

it('takes over the border what an error of ours is called and explained by, and neither message nor cause', () => {
  const error = new HalfkeyError('segment_corrupt', 'segment 7 of tax.pdf', {
    detail: { segmentIndex: 7 },
    cause: new Error('https://store.test/?signature=x'),
  });
  expect(toFailure(error)).toEqual({ code: 'segment_corrupt', detail: { segmentIndex: 7 } });
});

it.each([
  new TypeError('x of tax.pdf'),
  new DOMException('x', 'AbortError'),
  'text',
  undefined,
  { code: 'locked' },
])('says of anything else that it is internal, and nothing more: %s', (error) => {
  expect(toFailure(error)).toEqual({ code: 'internal', detail: {} });
});
