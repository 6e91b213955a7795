import {
  type CognitoIdentityClient,
  GetOpenIdTokenForDeveloperIdentityCommand,
} from '@aws-sdk/client-cognito-identity';
import * as v from 'valibot';
import { VaultId } from '../contract/ids.ts';
import type { VaultIdentities } from '../ports/vaults.ts';
import { storeFault } from './vault-faults.ts';
import type { VaultLogins } from './vault-logins.ts';

export interface VaultIdentitiesDeps {
  readonly cognito: CognitoIdentityClient;
  readonly identityPoolId: string;
  readonly developerProviderName: string;
  readonly logins: Pick<VaultLogins, 'write'>;
  /** Has a vault's credentials fetched with a token that is at hand. Never rejects. */
  readonly warm: (vault: VaultId, token: string) => Promise<void>;
}

/** Cognito identities, developer-authenticated: a login never seen before makes a new one. */
export function vaultIdentities(deps: VaultIdentitiesDeps): VaultIdentities {
  return {
    async create(developerUserId) {
      try {
        const { IdentityId, Token } = await deps.cognito.send(
          new GetOpenIdTokenForDeveloperIdentityCommand({
            IdentityPoolId: deps.identityPoolId,
            Logins: { [deps.developerProviderName]: developerUserId },
          }),
        );
        const vault = v.parse(VaultId, IdentityId);
        // A broker that ends before this has told nobody of the identity. Its first credentials are fetched meanwhile.
        await Promise.all([
          deps.logins.write(vault, developerUserId),
          Token === undefined ? undefined : deps.warm(vault, Token),
        ]);
        return vault;
      } catch (error) {
        throw storeFault(error);
      }
    },
  };
}
