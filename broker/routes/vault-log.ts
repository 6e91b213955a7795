import { headRead, logAppend, logRead } from '../contract/vault-log.ts';
import { b64urlOf } from './b64url.ts';
import { register } from './frame.ts';
import type { VaultRouteDeps } from './vault-route-deps.ts';

/** The journal's segments. */
export function createVaultLogRoutes({ frame, side }: VaultRouteDeps): void {
  register(frame, logAppend, ({ session, vault, record, request }) =>
    side.appending.append(session, vault, record, {
      ...request,
      segment: Buffer.from(request.segment, 'base64url'),
    }),
  );

  register(frame, logRead, async ({ vault, record, request }) => {
    const { head, segments } = await side.log.read(vault, record.head, request.from);
    return { head, segments: segments.map(b64urlOf) };
  });

  // Asked every few seconds by a client that has no stream, so what was read with the membership has to do: looking for
  // a segment that it does not name yet would be most of the cost. Reading the log or the session finds one, and then
  // it is named.
  register(frame, headRead, ({ record: { head }, request }) =>
    Promise.resolve(head.seq === request.known ? undefined : head),
  );
}
