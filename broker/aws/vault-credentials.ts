import {
  type CognitoIdentityClient,
  GetCredentialsForIdentityCommand,
  GetOpenIdTokenForDeveloperIdentityCommand,
} from '@aws-sdk/client-cognito-identity';
import type { VaultId } from '../contract/ids.ts';
import { LIMITS } from '../contract/limits.ts';
import type { VaultLogins } from './vault-logins.ts';

/** The SDK asks for new credentials once the old ones say that they end within five minutes. */
const SDK_MARGIN_SECONDS = 300;
/** A URL dies with the credentials that signed it, so these have to outlive it, the clocks' difference included. */
const OUTLIVE_SECONDS = LIMITS.urlSeconds + 60;

export interface VaultCredentialsDeps {
  readonly cognito: CognitoIdentityClient;
  readonly identityPoolId: string;
  readonly developerProviderName: string;
  readonly logins: Pick<VaultLogins, 'read'>;
}

/** As the SDK's clients take them. */
export interface ShortCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/**
 * Yields short credentials of one vault's own identity.
 * @param token of that identity, where one is at hand
 */
export type FetchVaultCredentials = (vault: VaultId, token?: string) => Promise<ShortCredentials>;

/**
 * Developer-authenticated Cognito, enhanced flow: a token for the identity, by the broker's role, then its credentials
 * (unsigned). Their stated end is early, so that a URL signed with them lives as long as it says.
 */
export function vaultCredentials(deps: VaultCredentialsDeps): FetchVaultCredentials {
  async function fetchToken(vault: VaultId): Promise<string> {
    const { Token } = await deps.cognito.send(
      new GetOpenIdTokenForDeveloperIdentityCommand({
        IdentityPoolId: deps.identityPoolId,
        IdentityId: vault,
        Logins: { [deps.developerProviderName]: await deps.logins.read(vault) },
      }),
    );
    return Token ?? '';
  }

  return async (vault, token) => {
    const { Credentials: given } = await deps.cognito.send(
      new GetCredentialsForIdentityCommand({
        IdentityId: vault,
        Logins: { 'cognito-identity.amazonaws.com': token ?? (await fetchToken(vault)) },
      }),
    );
    if (!given?.AccessKeyId || !given.SecretKey || !given.SessionToken || !given.Expiration) {
      throw new Error('expected credentials of an identity, got an answer without them');
    }
    const early = (OUTLIVE_SECONDS - SDK_MARGIN_SECONDS) * 1000;
    return {
      accessKeyId: given.AccessKeyId,
      secretAccessKey: given.SecretKey,
      sessionToken: given.SessionToken,
      expiration: new Date(given.Expiration.getTime() - early),
    };
  };
}

/**
 * The same credentials for all clients of a vault, fetched once however many ask at a time, and anew when the SDK,
 * which asks only at the first request and near the end, would find them near their end too. A failed fetch is not
 * kept.
 */
export function sharedCredentials(
  fetch: (token?: string) => Promise<ShortCredentials>,
  token?: string,
): () => Promise<ShortCredentials> {
  // A token is good once, at the beginning.
  let current: Promise<ShortCredentials> | undefined = token === undefined ? undefined : startFetch(token);
  return async () => {
    const asked = current;
    const kept = await asked?.catch(() => undefined);
    if (kept && kept.expiration.getTime() - Date.now() > SDK_MARGIN_SECONDS * 1000) return kept;
    // Anyone who waited together finds `current` replaced by the first of them.
    if (current === undefined || current === asked) current = startFetch();
    return current;
  };

  function startFetch(withToken?: string): Promise<ShortCredentials> {
    const fetching = fetch(withToken);
    fetching.catch(() => {
      if (current === fetching) current = undefined;
    });
    return fetching;
  }
}
