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
    'credentials/prove': (args) => credentials.prove(args),
    'credentials/backup-codes': () => credentials.backupCodes(),
    'credentials/kit': () => credentials.kit(),
    'credentials/accept': () => credentials.accept(),
    'credentials/authenticator': () => credentials.authenticator(),
    'credentials/authenticator-confirm': (args) => credentials.confirmAuthenticator(args),
    'credentials/passphrase': (args) => credentials.passphrase(args),
    'credentials/devices': () => credentials.devices(),
    'credentials/activity': (args) => credentials.activity(args),
    'credentials/revoke': (args) => credentials.revoke(args),
    'credentials/end': () => {
      credentials.clear();
    },
    'kit/read': async () => ({ unkept: await unkeptParts(await deviceStore.database()) }),
    'kit/kept': async ({ parts }) => noteKept(await deviceStore.database(), ...parts),
  };
}
