import * as account from '$contract/accounts.ts';
import * as factorReset from '$contract/factor-reset.ts';
import * as credentials from '$contract/credentials.ts';
import type { Route } from '$contract/route.ts';
import * as vault from '$contract/vaults.ts';

const isRoute = (value: unknown): value is Route =>
  typeof value === 'object' && value !== null && 'stage' in value && 'path' in value;

/** Every route of the contract. */
export const CONTRACT_ROUTES: readonly Route[] = [
  ...Object.values<unknown>(account),
  ...Object.values<unknown>(factorReset),
  ...Object.values<unknown>(credentials),
  ...Object.values<unknown>(vault),
].filter(isRoute);
