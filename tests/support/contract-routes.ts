import * as account from '$contract/account.ts';
import * as inbox from '$contract/inbox.ts';
import * as factorReset from '$contract/factor-reset.ts';
import * as credentials from '$contract/credentials.ts';
import type { Route } from '$contract/route.ts';
import * as vault from '$contract/vault.ts';

const isRoute = (value: unknown): value is Route =>
  typeof value === 'object' && value !== null && 'stage' in value && 'path' in value;

/** Every route of the contract. */
export const CONTRACT_ROUTES: readonly Route[] = [
  ...Object.values<unknown>(account),
  ...Object.values<unknown>(inbox),
  ...Object.values<unknown>(factorReset),
  ...Object.values<unknown>(credentials),
  ...Object.values<unknown>(vault),
].filter(isRoute);
