import { logAppend, logRead } from '../contract/vault.ts';
import { b64urlOf } from './b64url.ts';
import { register } from './frame.ts';
import type { VaultRouteDeps } from './vault-route-deps.ts';

/** The journal's segments. */
export function createVaultLogRoutes({ frame, side }: VaultRouteDeps): void {
  register(frame, logAppend, async ({ session, vault, request }) => {
    const { head } = await side.requireMember(session.account, vault);
    return side.log.append(vault, head, Buffer.from(request.segment, 'base64url'));
  });

  register(frame, logRead, async ({ session, vault, request }) => {
    const known = (await side.requireMember(session.account, vault)).head;
    const { head, segments } = await side.log.read(vault, known, request.from);
    return { head, segments: segments.map(b64urlOf) };
  });
}
