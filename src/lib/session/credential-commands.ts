import type { HandlersOf } from '../protocol/commands.ts';
import type { CredentialCommands } from '../protocol/credentials.ts';
import { noteKept, unkeptParts } from '../store/kit-note.ts';
import type { Credentials } from './credentials.ts';
import type { DeviceStore } from './device-store.ts';

/** Answers what renews passphrase, authenticator, codes and words, and what signs a device out. */
export function credentialCommands(
  credentials: Credentials,
  deviceStore: DeviceStore,
): HandlersOf<CredentialCommands> {
  return {
    'renewal/prove': (args) => credentials.prove(args),
    'renewal/backup-codes': () => credentials.backupCodes(),
    'renewal/kit': () => credentials.kit(),
    'renewal/accept': () => credentials.accept(),
    'renewal/authenticator': () => credentials.authenticator(),
    'renewal/authenticator-confirm': (args) => credentials.confirmAuthenticator(args),
    'renewal/passphrase': (args) => credentials.passphrase(args),
    'renewal/devices': () => credentials.devices(),
    'renewal/revoke': (args) => credentials.revoke(args),
    'renewal/end': () => {
      credentials.clear();
    },
    'kit/read': async () => ({ unkept: await unkeptParts(await deviceStore.database()) }),
    'kit/kept': async ({ parts }) => noteKept(await deviceStore.database(), ...parts),
  };
}
