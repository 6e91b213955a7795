import { backupCodeVectors, wordsVectors } from './code-vectors.ts';
import { contentVectors } from './content-vectors.ts';
import { envelopeVectors } from './envelope-vectors.ts';
import { floeVectors } from './floe-vectors.ts';
import { draftVectors, INBOX_KNOWN, recordVectors } from './inbox-vectors.ts';
import { journalVectors, VAULT_KNOWN } from './journals/vectors.ts';
import { keyringVectors } from './keyring-vectors.ts';
import type { Kit } from './kit.ts';
import { signatureVectors } from './signature-vectors.ts';
import { snapshotVectors } from './snapshot-vectors.ts';
import { VAULT } from './writing/log.ts';

/** The kit, the same bytes each time. */
export const makeKit = (): Kit => ({
  floe: { vectors: floeVectors() },
  contents: { vault: VAULT, vectors: contentVectors() },
  envelopes: { vault: VAULT, vectors: envelopeVectors() },
  keyrings: { vectors: keyringVectors() },
  words: { vectors: wordsVectors() },
  'backup-codes': { vectors: backupCodeVectors() },
  signatures: { vectors: signatureVectors() },
  journals: { ...VAULT_KNOWN, vectors: journalVectors() },
  snapshots: { ...VAULT_KNOWN, vectors: snapshotVectors() },
  records: { ...INBOX_KNOWN, vectors: recordVectors() },
  drafts: { ...INBOX_KNOWN, vectors: draftVectors() },
});
