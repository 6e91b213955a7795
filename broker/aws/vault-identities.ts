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
}

/** Cognito identities, developer-authenticated: a login never seen before makes a new one. */
export function vaultIdentities(deps: VaultIdentitiesDeps): VaultIdentities {
  return {
    async create(developerUserId) {
      try {
        const { IdentityId } = await deps.cognito.send(
          new GetOpenIdTokenForDeveloperIdentityCommand({
            IdentityPoolId: deps.identityPoolId,
            Logins: { [deps.developerProviderName]: developerUserId },
          }),
        );
        const vault = v.parse(VaultId, IdentityId);
        // A broker that ends before this has told nobody of the identity.
        await deps.logins.write(vault, developerUserId);
        return vault;
      } catch (error) {
        throw storeFault(error);
      }
    },
  };
}
