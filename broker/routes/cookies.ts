import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { SESSION_HEADER, TAB_HEADER } from '../contract/route.ts';

/**
 * `session`: who is signed in. `stage`: how far somebody is on the way there. `state`: what is kept between two
 * messages of one login. `device`: signed in before. Those on the way are of one tab, the others of the browser.
 */
type CookieName = 'session' | 'stage' | 'state' | 'device';

/** The broker's cookies: HttpOnly, SameSite=Strict, Path=/; on https also Secure and `__Host-`. */
export interface Cookies {
  /**
   * All values that came by this name, the one that is likeliest ours first: a browser sends to localhost what any
   * server on another port of it has set, and those of a longer path before our own.
   */
  read(name: CookieName): readonly string[];
  write(name: CookieName, value: string, maxAgeSeconds: number): void;
  drop(name: CookieName): void;
  /** Tells anyone who asks which session its new cookie is of: no script can read that from the cookie. */
  tell(stage: string, sessionId: string): void;
}

/** Without a tab, of a client that names none. */
const NAMES = {
  session: 'halfkey',
  stage: 'halfkey',
  state: 'halfkey-state',
  device: 'halfkey-device',
} as const satisfies Record<CookieName, string>;
const OF_A_TAB: ReadonlySet<CookieName> = new Set(['stage', 'state']);

/** A browser sends none of ours that is longer; Hono's and jose's work on it is not for strangers. */
const MAX_CHARACTERS = 3000;
/** More than there are paths to set one for; each is verified by a MAC. */
const MAX_VALUES = 32;
/** Compact JWTs and JWEs. */
const TOKEN = /^[\w.-]+$/;
const TAB = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/**
 * Tabs on the way at once; with more, what was begun first is forgotten: all cookies together have to fit into a
 * request's head.
 */
const MAX_TABS = 4;

/** @param secure false on http://localhost alone, where WebKit keeps no Secure cookie */
export function createCookies(context: Context, secure: boolean): Cookies {
  const base = { path: '/', httpOnly: true, sameSite: 'Strict' } as const;
  const options = { ...base, secure };
  const named = context.req.header(TAB_HEADER) ?? '';
  const tab = TAB.test(named) ? named : undefined;
  const prefix = secure ? '__Host-' : '';
  const ofTabs = (name: CookieName): string => `${prefix}${NAMES.session}-${name}-`;
  const wireName = (name: CookieName): string =>
    tab !== undefined && OF_A_TAB.has(name) ? `${ofTabs(name)}${tab}` : `${prefix}${NAMES[name]}`;
  const pairs = (context.req.header('cookie') ?? '').split(';').map((pair) => pair.trim());

  /** What earlier tabs have left behind, the oldest first, as browsers send them. */
  function forgetTabs(name: CookieName): void {
    if (tab === undefined || !OF_A_TAB.has(name)) return;
    const others = pairs
      .map((pair) => pair.slice(0, Math.max(0, pair.indexOf('='))))
      .filter((one) => one.startsWith(ofTabs(name)) && TAB.test(one.slice(ofTabs(name).length)))
      .filter((one) => one !== wireName(name));
    for (const one of others.slice(0, Math.max(0, others.length - MAX_TABS + 1))) {
      deleteCookie(context, one, options);
    }
  }

  return {
    read: (name) =>
      pairs
        .filter((pair) => pair.startsWith(`${wireName(name)}=`))
        .map((pair) => pair.slice(wireName(name).length + 1))
        .filter((value) => value.length <= MAX_CHARACTERS && TOKEN.test(value))
        .reverse()
        .slice(0, MAX_VALUES),
    write: (name, value, maxAge) => {
      setCookie(context, wireName(name), value, { ...options, maxAge });
      forgetTabs(name);
    },
    drop: (name) => {
      // Of a client that names no tab the one has taken the other's place.
      if (name === 'stage' && wireName('stage') === wireName('session')) return;
      deleteCookie(context, wireName(name), options);
    },
    tell: (stage, sessionId) => {
      context.header(SESSION_HEADER, `${stage} ${sessionId}`);
    },
  };
}
