/** Something that must not be found. */
export interface Secret {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Names of the secrets that stand in `haystack`, in any of the forms in which bytes travel. */
export function findSecrets(haystack: Buffer, secrets: readonly Secret[]): string[] {
  return secrets
    .filter(({ bytes }) => forms(bytes).some((form) => haystack.includes(form)))
    .map(({ name }) => name);
}

function forms(bytes: Buffer): Buffer[] {
  const hex = bytes.toString('hex');
  const texts = [
    hex,
    hex.toUpperCase(),
    ...[0, 1, 2].flatMap((lead) => innerBase64(bytes, lead)),
    percent(bytes, false),
    percent(bytes, true),
    encodeURIComponent(bytes.toString('utf8')),
    encodeURIComponent(bytes.toString('utf8')).replaceAll('%20', '+'),
    JSON.stringify(bytes.toString('utf8')).slice(1, -1),
  ];
  return [bytes, Buffer.from(bytes.toString('utf8'), 'utf16le'), ...texts.map((text) => Buffer.from(text))];
}

/**
 * The characters of base64 that depend on these bytes alone, when `lead` bytes stand before them in their group of
 * three.
 */
function innerBase64(bytes: Buffer, lead: number): string[] {
  const text = Buffer.concat([Buffer.alloc(lead), bytes])
    .toString('base64')
    .replaceAll('=', '');
  const whole = text.slice(lead === 0 ? 0 : lead + 1, (lead + bytes.length) % 3 === 0 ? undefined : -1);
  return [whole, whole.replaceAll('+', '-').replaceAll('/', '_')];
}

function percent(bytes: Buffer, upper: boolean): string {
  return Array.from(bytes, (byte) => {
    const hex = byte.toString(16).padStart(2, '0');
    return `%${upper ? hex.toUpperCase() : hex}`;
  }).join('');
}
