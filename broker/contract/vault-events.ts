/**
 * `text/event-stream`: `head`, whose data is a Head, the first at once; and `inbox`, whose data is empty, whenever the
 * broker that is listened to has written inbox records (another broker's are not told of). A comment every 15 s.
 */
export const VAULT_EVENTS_PATH = '/api/vaults/:vault/events';
