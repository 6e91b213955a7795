import * as v from 'valibot';

/**
 * Schema of a JSON object as the list of its pairs. `v.record` silently drops `__proto__`, `constructor` and
 * `prototype`; a name left out of an encryption context or of a policy would be a hole, so all names are kept here.
 */
export function recordEntries<const T extends v.GenericSchema>(value: T) {
  return v.pipe(
    v.custom<object>(
      (input) => typeof input === 'object' && input !== null && !Array.isArray(input),
      'expected an object',
    ),
    v.transform((input): unknown => Object.entries(input)),
    v.array(v.tuple([v.string(), value])),
  );
}
