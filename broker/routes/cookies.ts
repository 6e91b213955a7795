import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';

/** `session`: who is signed in, and how far. `state`: what lies between two messages of one login. `device`: signed in before. */
type CookieName = 'session' | 'state' | 'device';

/** The broker's cookies: HttpOnly, SameSite=Strict, Path=/; on https also Secure and `__Host-`. */
export interface Cookies {
  /**
   * All values that came by this name, the one that is likeliest ours first: a browser sends to localhost what any server on
   * another port of it has set, and those of a longer path before our own.
   */
  read(name: CookieName): readonly string[];
  write(name: CookieName, value: string, maxAgeSeconds: number): void;
  drop(name: CookieName): void;
}

const NAMES = {
  session: 'halfkey',
  state: 'halfkey-state',
  device: 'halfkey-device',
} as const satisfies Record<CookieName, string>;

/** A browser sends none of ours that is longer; Hono's and jose's work on it is not for strangers. */
const MAX_CHARACTERS = 3000;
/** More than there are paths to set one for; each is verified by a MAC. */
const MAX_VALUES = 32;
/** Compact JWTs and JWEs. */
const TOKEN = /^[\w.-]+$/;

/** @param secure false on http://localhost alone, where WebKit keeps no Secure cookie */
export function createCookies(context: Context, secure: boolean): Cookies {
  const base = { path: '/', httpOnly: true, sameSite: 'Strict' } as const;
  const options = secure ? ({ ...base, secure: true, prefix: 'host' } as const) : base;
  const wireName = (name: CookieName): string => (secure ? `__Host-${NAMES[name]}` : NAMES[name]);
  return {
    read: (name) =>
      (context.req.header('cookie') ?? '')
        .split(';')
        .map((pair) => pair.trim())
        .filter((pair) => pair.startsWith(`${wireName(name)}=`))
        .map((pair) => pair.slice(wireName(name).length + 1))
        .filter((value) => value.length <= MAX_CHARACTERS && TOKEN.test(value))
        .reverse()
        .slice(0, MAX_VALUES),
    write: (name, value, maxAge) => {
      setCookie(context, NAMES[name], value, { ...options, maxAge });
    },
    drop: (name) => {
      deleteCookie(context, wireName(name), { ...base, secure });
    },
  };
}
