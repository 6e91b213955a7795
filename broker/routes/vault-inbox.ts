import { inboxDiscard, inboxList, inboxRead, inboxRemove, inboxWrite } from '../contract/vault-inbox.ts';
import { b64urlOf } from './b64url.ts';
import { register } from './frame.ts';
import type { VaultRouteDeps } from './vault-route-deps.ts';

/** Captures that wait to be adopted. Only removing them wants a code: the rest is ciphertext, in and out. */
export function createVaultInboxRoutes({ frame, side }: VaultRouteDeps): void {
  register(frame, inboxWrite, async ({ session, vault, request }) => {
    const records = request.records.map(({ blob, record }) => ({
      blob,
      record: Buffer.from(record, 'base64url'),
    }));
    return { refused: await side.inbox.write(session, vault, records) };
  });

  register(frame, inboxList, ({ vault, request }) => side.inbox.list(vault, request.after));

  register(frame, inboxRead, async ({ vault, request }) => {
    const records = await side.inbox.read(vault, request.names);
    return { records: records.map((entry) => ({ ...entry, record: b64urlOf(entry.record) })) };
  });

  register(frame, inboxRemove, async ({ session, vault, request }) => ({
    refused: await side.inbox.remove(session, vault, request),
  }));

  register(frame, inboxDiscard, async ({ session, vault, request }) => ({
    refused: await side.discarding.discard(session, vault, request),
  }));
}
