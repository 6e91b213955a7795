import { backupCodeHash } from '../reader/backup-code.ts';
import { openContent } from '../reader/content.ts';
import { openEnvelope } from '../reader/envelope.ts';
import { openFloe } from '../reader/floe.ts';
import { openDraft, openRecord } from '../reader/inbox.ts';
import { headPhrase, readJournal } from '../reader/journal.ts';
import { readKeyring } from '../reader/keyring.ts';
import { readWords, recoveryPublicKey } from '../reader/kit.ts';
import { isSignedBy, sha256 } from '../reader/primitives.ts';
import { openPages, readState } from '../reader/snapshot.ts';
import { encodeState } from '../reader/state-bytes.ts';
import type { Reader } from './by-reader.ts';

/** The independent reader as it is. */
export const READER: Reader = {
  backupCodeHash,
  encodeState,
  headPhrase,
  isSignedBy,
  openContent,
  openDraft,
  openEnvelope,
  openFloe,
  openPages,
  openRecord,
  readJournal,
  readKeyring,
  readState,
  readWords,
  recoveryPublicKey,
  sha256,
};
