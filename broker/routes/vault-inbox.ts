import { inboxList, inboxRemove, inboxWrite } from '../contract/vault-inbox.ts';
import { b64urlOf } from './b64url.ts';
import { register } from './frame.ts';
import type { VaultRouteDeps } from './vault-route-deps.ts';

/** Captures that wait to be adopted. Only removing them wants a grant: the rest is ciphertext, in and out. */
export function createVaultInboxRoutes({ frame, side }: VaultRouteDeps): void {
  register(frame, inboxWrite, async ({ vault, request }) => {
    const records = request.records.map(({ blob, record }) => ({
      blob,
      record: Buffer.from(record, 'base64url'),
    }));
    await side.inbox.write(vault, records);
    return {};
  });

  register(frame, inboxList, async ({ vault, request }) => {
    const { records, more } = await side.inbox.list(vault, request.after);
    return { records: records.map((entry) => ({ ...entry, record: b64urlOf(entry.record) })), more };
  });

  register(frame, inboxRemove, async ({ session, vault, request }) => {
    await side.inbox.remove(session, vault, request);
    return {};
  });
}
