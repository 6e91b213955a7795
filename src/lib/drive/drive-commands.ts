import type { HandlersOf } from '../protocol/commands.ts';
import type { DriveCommands } from '../protocol/drive.ts';
import type { OpenVault } from '../vault/open-vault.ts';
import { compareHeadPhrase } from './head-check.ts';
import { otherDevices } from './other-devices.ts';
import { deletedFiles, purgeFiles } from './purge.ts';
import type { Drive, View } from './view.ts';

/** The drive of anyone who is signed in here. Each function throws `session_missing` when nobody is. */
export interface SignedInDrive {
  readonly vault: () => OpenVault;
  readonly drive: () => Drive;
  /** Id of this device. */
  readonly device: () => string;
  /** Sends what waits, as soon as the broker answers. */
  readonly sync: () => void;
}

/** Answers what looks at the drive and changes it. */
export function driveCommands(
  view: View,
  { vault, drive, device, sync }: SignedInDrive,
): HandlersOf<DriveCommands> {
  return {
    'view/set': (query) => {
      view.set(query);
    },
    'view/rows': ({ from, count }) => view.rows(from, count),
    'view/index': ({ file }) => ({ index: view.indexOf(file) }),
    async 'file/rename'({ file, name }) {
      await drive().changes.rename(file, name);
      sync();
    },
    'changes/heard': ({ keys }) => drive().changes.heard(keys),
    'who/read': () => ({
      otherDevices: otherDevices(drive().journal.state, device()).map(({ name }) => name),
    }),
    'head/compare': async ({ phrase }) => ({ verdict: await compareHeadPhrase(vault(), phrase) }),
    'deleted/read': () => ({ files: deletedFiles(drive().journal.state, device()) }),
    'file/purge': ({ file, also, factor }) => purgeFiles(vault(), { file, also }, factor),
  };
}
