import type { Bytes } from '../../bytes.ts';
import { HalfkeyError } from '../../errors.ts';
import { draftEpoch, openDraft } from '../../inbox/draft.ts';
import type { StoredUpload, StreamedUpload } from '../../store/database.ts';
import type { OpenVault } from '../../vault/open-vault.ts';
import type { InboxKeys } from './inbox-keys.ts';
import { wipeAtEnd } from '../../crypto/wipe.ts';

/**
 * Epochs of the inbox keys that these are sealed to. Those in the inbox count as well: it may be said to be emptier
 * than it is.
 */
export function inboxEpochsOf(uploads: readonly StoredUpload[]): number[] {
  return uploads.flatMap((upload) =>
    upload.mode === 'streamed' ? [upload.inboxEpoch, draftEpoch(upload.draft)] : [upload.inboxEpoch],
  );
}

/**
 * The content key of an upload that was cut off in the middle.
 * @throws {HalfkeyError} `locked` and its like without a grant; `device_state_lost` when the draft does not open
 */
export async function openDraftKey(
  { vault, journal }: OpenVault,
  keys: InboxKeys,
  { blob, draft }: StreamedUpload,
): Promise<Bytes> {
  const inbox = journal.state.inboxKey(draftEpoch(draft));
  if (!inbox) throw new HalfkeyError('device_state_lost', 'the upload has no draft that opens');
  const opened = await keys.open(inbox, new AbortController().signal);
  const key = { ...opened, privateKey: opened.privateKey.slice() }; // A lock in the middle wipes the other one.
  using _privateKey = wipeAtEnd(key.privateKey);
  return (await openDraft(draft, { vault, blob }, key)).contentKey;
}
