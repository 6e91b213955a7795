/** `1 file`, `2 files`, `100,000 files`. @param plural of a noun that does not just take an s: `try`, `tries` */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`;
}

const ORDINAL_ENDINGS: Partial<Record<Intl.LDMLPluralRule, string>> = { one: 'st', two: 'nd', few: 'rd' };
const ordinals = new Intl.PluralRules('en', { type: 'ordinal' });

/** `1st`, `2nd`, `3rd`, `4th`, `11th`. */
export function ordinal(place: number): string {
  return `${place.toLocaleString('en')}${ORDINAL_ENDINGS[ordinals.select(place)] ?? 'th'}`;
}
