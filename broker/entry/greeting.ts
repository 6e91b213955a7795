/** What the greeting depends on. */
export interface Occasion {
  /** Absolute; undefined where the data are in AWS. */
  readonly dataFolder: string | undefined;
  /** Whether a person looks on; a service manager's log gets one line. */
  readonly isTerminal: boolean;
}

/** What is printed once the broker serves the app at `origin`. */
export function greeting({ origin, dataFolder, isTerminal }: Occasion & { readonly origin: string }): string {
  const address = `Halfkey runs at ${origin}\n`;
  if (!isTerminal) return address;
  const lines = [
    ...(dataFolder === undefined ? [] : [`Your data are in ${dataFolder}`]),
    // Browsers allow neither WebCrypto nor service workers on plain http, save on the machine itself.
    ...(new URL(origin).protocol === 'http:'
      ? ['To reach it from a phone in the house, put HTTPS in front of it, as docs/OPERATING.md shows']
      : []),
    'Press Ctrl+C to stop',
  ];
  return `\n${address}${lines.map((line) => `  ${line}\n`).join('')}\n`;
}

/** What is printed after an orderly end. */
export function farewell({ dataFolder, isTerminal }: Occasion): string {
  if (!isTerminal) return '';
  return dataFolder === undefined ? '\nStopped.\n' : `\nStopped. Your data stay in ${dataFolder}\n`;
}
