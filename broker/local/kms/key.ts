import type { AccessRequest, Authorize, Principal } from '../principal.ts';
import { Refusal } from '../refusal.ts';
import type { KeyState, RootKey } from './root-key.ts';
import { openRootKey, readKeyState, writeKeyState } from './root-key.ts';

/** The alias under which the key is known besides its id. */
const ALIAS = 'alias/halfkey';

/** The KMS's one key: its names, who may use it, and whether it may be used at all. */
export interface Key {
  readonly root: RootKey;
  readonly arn: string;
  readonly accountId: string;
  readonly state: () => KeyState;
  /** Resolves once the new state is on the disk. */
  readonly setState: (state: KeyState) => Promise<void>;
  /** @throws Refusal NotFoundException unless `name` is id, ARN, alias or alias ARN of this key */
  readonly resolve: (name: string) => void;
  /** @throws Refusal MissingAuthenticationTokenException, AccessDeniedException */
  readonly permit: (
    action: string,
    principal: Principal | undefined,
    context: AccessRequest['context'],
  ) => void;
  /** @throws Refusal DisabledException, KMSInvalidStateException */
  readonly requireEnabled: () => void;
}

/** Opens the key in `folder`, which is made when missing. */
export async function openKey({
  folder,
  authorize,
  region,
  accountId,
}: {
  readonly folder: string;
  readonly authorize: Authorize;
  readonly region: string;
  readonly accountId: string;
}): Promise<Key> {
  const root = await openRootKey(folder);
  const prefix = `arn:aws:kms:${region}:${accountId}:`;
  const arn = `${prefix}key/${root.keyId}`;
  const names: ReadonlySet<string> = new Set([root.keyId, arn, ALIAS, prefix + ALIAS]);
  let state = await readKeyState(folder);
  let written: Promise<void> = Promise.resolve();
  return {
    root,
    arn,
    accountId,
    state: () => state,
    setState: (next) => {
      // One after the other, and whatever became of the one before.
      written = written
        .catch(() => undefined)
        .then(async () => {
          await writeKeyState(folder, next);
          state = next;
        });
      return written;
    },
    resolve: (name) => {
      if (!names.has(name)) throw new Refusal(400, 'NotFoundException', 'there is no such key');
    },
    permit: (action, principal, context) => {
      if (principal === undefined) {
        throw new Refusal(400, 'MissingAuthenticationTokenException', 'expected a signed request, got none');
      }
      if (!authorize({ principal, action, resource: arn, context })) {
        throw new Refusal(400, 'AccessDeniedException', `not authorized to perform ${action}`);
      }
    },
    requireEnabled: () => {
      if (state.state === 'Disabled') throw new Refusal(400, 'DisabledException', 'the key is disabled');
      if (state.state === 'PendingDeletion') {
        throw new Refusal(400, 'KMSInvalidStateException', 'the key is pending deletion');
      }
    },
  };
}
