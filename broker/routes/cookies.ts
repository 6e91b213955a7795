import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';

/** `session`: who is signed in, and how far. `state`: what lies between two messages of one login. `device`: signed in before. */
type CookieName = 'session' | 'state' | 'device';

/** The broker's cookies: HttpOnly, SameSite=Strict, Path=/; on https also Secure and `__Host-`. */
export interface Cookies {
  read(name: CookieName): string | undefined;
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

/** @param secure false on http://localhost alone, where WebKit keeps no Secure cookie */
export function createCookies(context: Context, secure: boolean): Cookies {
  const base = { path: '/', httpOnly: true, sameSite: 'Strict' } as const;
  const options = secure ? ({ ...base, secure: true, prefix: 'host' } as const) : base;
  return {
    read(name) {
      const value = secure ? getCookie(context, NAMES[name], 'host') : getCookie(context, NAMES[name]);
      return value !== undefined && value.length <= MAX_CHARACTERS ? value : undefined;
    },
    write: (name, value, maxAge) => {
      setCookie(context, NAMES[name], value, { ...options, maxAge });
    },
    drop: (name) => {
      deleteCookie(context, secure ? `__Host-${NAMES[name]}` : NAMES[name], { ...base, secure });
    },
  };
}
