import { envelopesWrite, keysGenerate, keysRelease, purge, purgeGrant } from '../contract/vault-keys.ts';
import { b64urlOf } from './b64url.ts';
import { register } from './frame.ts';
import type { VaultRouteDeps } from './vault-route-deps.ts';

/** KMS halves, envelopes, and deleting for good. */
export function createVaultKeyRoutes({ frame, side }: VaultRouteDeps): void {
  register(frame, keysGenerate, async ({ session, vault, request }) => ({
    keys: (await side.keys.generate(session, vault, request)).map(({ blob, kmsHalf, kmsBlob }) => ({
      blob,
      kmsHalf: b64urlOf(kmsHalf),
      kmsBlob: b64urlOf(kmsBlob),
    })),
  }));

  register(frame, keysRelease, async ({ session, vault, request }) => {
    const { keys, absent } = await side.keys.release(session, vault, request);
    return { keys: keys.map((key) => ({ ...key, kmsHalf: b64urlOf(key.kmsHalf) })), absent };
  });

  register(frame, envelopesWrite, async ({ vault, request }) => {
    await side.keys.write(vault, request.envelopes);
    return {};
  });

  register(frame, purgeGrant, ({ session, vault, request }) =>
    side.purge.grant(session, vault, request.factor),
  );

  register(frame, purge, async ({ session, vault, request }) => {
    await side.purge.purge(session, vault, request);
    return {};
  });
}
