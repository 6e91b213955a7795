import { envelopesWrite, keysGenerate, keysRelease, purge, purgeGrant } from '../contract/vault-keys.ts';
import type { WriteLook } from '../domain/vault/keys.ts';
import { b64urlOf } from './b64url.ts';
import { register } from './frame.ts';
import { releasedAnswer } from './released-answer.ts';
import type { VaultRouteDeps } from './vault-route-deps.ts';

/** KMS halves, envelopes, and deleting for good. */
export function createVaultKeyRoutes({ frame, side }: VaultRouteDeps): void {
  register(frame, keysGenerate, async ({ session, vault, request }) => ({
    keys: (await side.keys.generate(session, vault, request)).map(({ kmsHalf, kmsBlob, ...key }) => ({
      ...key,
      kmsHalf: b64urlOf(kmsHalf),
      kmsBlob: b64urlOf(kmsBlob),
    })),
  }));

  register(frame, keysRelease, async ({ session, vault, request }) =>
    releasedAnswer(await side.keys.release(session, vault, request)),
  );

  register<typeof envelopesWrite, WriteLook>(
    frame,
    envelopesWrite,
    async ({ session, vault, record, ahead, request: { entry, ...order } }) => {
      const refused = await side.keys.write(session, vault, order, ahead);
      if (!entry || refused.length > 0) return { refused };
      const segment = Buffer.from(entry.segment, 'base64url');
      return { refused, head: await side.appending.append(session, vault, record, { ...entry, segment }) };
    },
    ({ account, vault, request: { envelopes } }) =>
      side.isKnownMember(account, vault) ? side.keys.lookBeforeWriting(vault, envelopes) : undefined,
  );

  register(frame, purgeGrant, ({ session, vault, request }) =>
    side.purge.grant(session, vault, request.factor),
  );

  register(frame, purge, async ({ session, vault, request }) => ({
    refused: await side.purge.purge(session, vault, request),
  }));
}
