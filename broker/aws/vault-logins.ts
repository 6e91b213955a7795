import * as v from 'valibot';
import type { VaultId } from '../contract/ids.ts';
import { BrokerProblem } from '../domain/problem.ts';
import type { StateStore } from '../ports/state.ts';

const Login = v.strictObject({ developerUserId: v.string() });

/** Under which login each vault's Cognito identity was made: Cognito asks for it whenever it gives out a token. */
export interface VaultLogins {
  write(vault: VaultId, developerUserId: string): Promise<void>;
  /** @throws BrokerProblem `not_a_member` when no identity of that id was made here; `record_corrupt` */
  read(vault: VaultId): Promise<string>;
}

/**
 * `m/<vault>/login`, create-only. It carries no MAC, unlike the broker's records: Cognito itself refuses a login of
 * another identity, the vault is named beside it, and a login that does not exist opens nothing.
 */
export function vaultLogins(state: StateStore): VaultLogins {
  const keyOf = (vault: VaultId): string => `m/${vault}/login`;
  return {
    async write(vault, developerUserId) {
      // The same login makes the same identity: that it is written already is not a fault.
      await state.create(keyOf(vault), Buffer.from(JSON.stringify({ developerUserId })));
    },
    async read(vault) {
      const stored = await state.read(keyOf(vault));
      if (!stored) throw new BrokerProblem('not_a_member');
      try {
        return v.parse(Login, JSON.parse(Buffer.from(stored.bytes).toString('utf8'))).developerUserId;
      } catch (cause) {
        throw new BrokerProblem('record_corrupt', { cause });
      }
    },
  };
}
