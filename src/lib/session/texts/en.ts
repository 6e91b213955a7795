/**
 * What the list of devices calls one: "Firefox on Linux" say. Stored, so it is in the language of whoever signed in
 * there.
 *
 * @param browser undefined when it is none that we know
 */
export function deviceWords(browser: string | undefined, system: string | undefined): string {
  return `${browser ?? 'Unknown browser'} on ${system ?? 'an unknown system'}`;
}
