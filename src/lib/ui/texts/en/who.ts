import { shownName } from '../../../shown-name.ts';
import { counted } from './counting.ts';

/** The sheet around the answers. */
export const WHO = {
  title: 'Who can read this now?',
  looking: 'Looking…',
  holdsYours: 'holds your half of each key',
  holdsServers: 'holds the server’s half. A file opens only with both.',
} as const;

/** What "Who can read this now?" is answered from. */
export interface Standing {
  /** Until when the drive is open, as people read it; undefined when it is locked. */
  readonly openUntil?: string;
  /** Whether this device asks for the passphrase at each start. */
  readonly asksPassphrase: boolean;
  /** Names of the others that are enrolled; they may have been signed out since. */
  readonly otherDevices: readonly string[];
}

/** One answer. `can` says it in a word, `text` why. */
export interface WhoLine {
  readonly who: string;
  readonly can: 'everything' | 'after a code' | 'names only' | 'nothing';
  readonly text: string;
  /** Whose half of the key this one has; undefined: neither's. */
  readonly half?: 'yours' | 'servers';
}

/** How many devices are named before the rest is counted. */
const NAMED_DEVICES = 3;

/** Five plain answers, in the order in which people worry. */
export function whoLines({ openUntil, asksPassphrase, otherDevices }: Standing): readonly WhoLine[] {
  const isOpen = openUntil !== undefined;
  return [
    {
      who: 'This device',
      can: isOpen ? 'everything' : 'names only',
      half: 'yours',
      text: isOpen
        ? `It’s open until ${openUntil}, or until you lock it.`
        : 'It holds your half of the key. Files open after a code from your authenticator app.',
    },
    otherDevicesLine(otherDevices),
    {
      who: 'The server',
      can: 'nothing',
      half: 'servers',
      text: 'It holds its half of each key, but not yours. It can see how many files there are, when they arrive and roughly how large they are. It could only guess your passphrase, which is why weak ones aren’t accepted.',
    },
    {
      who: 'Anyone who gets hold of the stored files',
      can: 'nothing',
      text: 'Everything stored is encrypted, names included, and neither half opens it alone.',
    },
    finderLine(isOpen, asksPassphrase),
  ];
}

function otherDevicesLine(names: readonly string[]): WhoLine {
  const who = 'Your other devices';
  if (names.length === 0) return { who, can: 'nothing', text: 'No other device has ever signed in.' };
  const rest = names.length - NAMED_DEVICES;
  const named = names.slice(0, NAMED_DEVICES).map(shownName).join(', ');
  const all = rest > 0 ? `${named} and ${counted(rest, 'other')}` : named;
  return {
    who,
    can: 'after a code',
    half: 'yours',
    text: `${all}. Any that is still signed in shows the names, and opens files after its own code.`,
  };
}

function finderLine(isOpen: boolean, asksPassphrase: boolean): WhoLine {
  const who = 'Someone who finds this device';
  if (isOpen) {
    return {
      who,
      can: 'everything',
      text: 'Unless its screen is locked. Press Lock now before you leave it.',
    };
  }
  const also = asksPassphrase ? ', or once Halfkey is closed, because it then asks for your passphrase' : '';
  return { who, can: 'names only', text: `Not even the names while its screen is locked${also}.` };
}

/** What somebody can read, in a word. */
export const VERDICTS = {
  everything: 'Everything',
  'after a code': 'After a code',
  'names only': 'Names only',
  nothing: 'Nothing',
} as const satisfies Record<WhoLine['can'], string>;
