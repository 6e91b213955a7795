/**
 * Whether all variants are wanted (`npm run test:full`), or those few that show in seconds what the long form shows.
 */
export const isLongForm = process.env['HALFKEY_FULL'] === '1';

/** A test of the long form alone: `inLongForm(test)('…', …)`. */
export function inLongForm<Declare extends (...words: never[]) => unknown>(test: Declare): Declare {
  return isLongForm ? test : ((() => undefined) as unknown as Declare);
}
