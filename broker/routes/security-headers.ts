import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

export interface PolicyOrigins {
  /** Exact origin of the app. */
  readonly origin: string;
  /** Scheme, host and port under which the browser sees S3. */
  readonly s3Origin: string;
}

const META_POLICY = /<meta\s+http-equiv="content-security-policy"\s+content="([^"]*)"/i;

/**
 * The header is the page's own policy (made by SvelteKit's build, with the hash of its one inline script) and what
 * depends on where it runs. Policies in <meta> and header intersect, and workers get theirs from their own headers, so
 * each answer carries the whole.
 * @param appHtml build/app.html; without one, nothing may be loaded at all
 */
export function contentSecurityPolicy(appHtml: string | undefined, { s3Origin }: PolicyOrigins): string {
  const meta = META_POLICY.exec(appHtml ?? '')?.[1];
  const page = meta === undefined ? [] : [decodeEntities(meta).replace(/;\s*$/, '')];
  return [...page, "default-src 'none'", `connect-src 'self' ${s3Origin}`, "frame-ancestors 'none'"].join(
    '; ',
  );
}

/**
 * Hono's set, with what a page that holds keys needs; the strictest that still lets it save files by a hidden frame.
 */
export function securityHeaders(policy: string, { origin }: PolicyOrigins): MiddlewareHandler {
  const common = secureHeaders({
    crossOriginOpenerPolicy: 'same-origin',
    crossOriginEmbedderPolicy: 'require-corp',
    crossOriginResourcePolicy: 'same-origin',
    referrerPolicy: 'no-referrer',
    strictTransportSecurity: origin.startsWith('https:') ? 'max-age=63072000; includeSubDomains' : false,
    xFrameOptions: 'DENY',
    xXssProtection: false,
    permissionsPolicy: {
      accelerometer: [],
      camera: ['self'],
      displayCapture: [],
      geolocation: [],
      gyroscope: [],
      magnetometer: [],
      microphone: [],
      midi: [],
      payment: [],
      usb: [],
    },
  });
  return (context, next) =>
    common(context, async () => {
      await next();
      context.header('content-security-policy', policy);
      if (!context.res.headers.has('cache-control')) context.header('cache-control', 'no-store');
    });
}

function decodeEntities(attribute: string): string {
  return attribute
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
