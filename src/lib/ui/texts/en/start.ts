/** Before somebody is signed in. */
export const WELCOME = {
  ended: 'You were signed out because your passphrase was changed on another device, or your session ended.',
  title: 'A drive that opens with two half-keys',
  yours: 'One half',
  staysHere: 'of each key stays on your devices. The server releases',
  servers: 'the other half',
  released:
    'when you enter a code. Neither half opens anything alone, not even for the people who run the server.',
} as const;

/** The app asks for the passphrase before it shows anything. */
export const CLOSED = {
  title: 'Closed',
  lead: 'This device asks for your passphrase whenever Halfkey starts. Until you enter it, not even file names can be read here.',
  open: 'Open',
  opening: 'Opening… This takes a moment, on purpose.',
} as const;
