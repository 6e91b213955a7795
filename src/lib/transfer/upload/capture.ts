import type { Bytes } from '../../bytes.ts';
import { HalfkeyError } from '../../errors.ts';
import { sealDraft } from '../../inbox/draft.ts';
import { sealRecord } from '../../inbox/record.ts';
import type { CapturingUpload, SealedUpload, StoredUpload, StreamedUpload } from '../../store/database.ts';
import { Capture, splitDigests } from './capturing.ts';
import { isKnownFolder } from '../adoption/folders-first.ts';
import { Streaming } from './streaming.ts';
import { placeOf, sealLabel, versionOf, type Label } from './label.ts';
import type { BlobPlan } from '../plan.ts';
import { digestOf } from './sending.ts';
import type { UploadItem, UploadDeps } from './upload-item.ts';
import { wipeAtEnd } from '../../crypto/wipe.ts';

/** Left for everything else that is stored here. */
const MARGIN_BYTES = 32 * 1024 * 1024;

/** Room on this device that captures under way will still take: the browser does not know of it yet. */
export class Room {
  readonly #freeBytes: UploadDeps['freeBytes'];
  #claimedBytes = 0;
  /** Asked and not answered yet: whoever comes meanwhile has claimed what is theirs, and takes the same answer. */
  #asking: Promise<number | undefined> | undefined;

  constructor(freeBytes: UploadDeps['freeBytes']) {
    this.#freeBytes = freeBytes;
  }

  /** @returns what gives the claim back; undefined if there is no room for so much */
  async claim(sizeBytes: number): Promise<(() => void) | undefined> {
    this.#claimedBytes += sizeBytes;
    const giveBack = () => {
      this.#claimedBytes -= sizeBytes;
    };
    this.#asking ??= this.#freeBytes().finally(() => {
      this.#asking = undefined;
    });
    const freeBytes = (await this.#asking) ?? Number.POSITIVE_INFINITY;
    if (this.#claimedBytes + MARGIN_BYTES <= freeBytes) return giveBack;
    giveBack();
    return undefined;
  }
}

/** What the record of any upload begins with. */
async function beginRecord(
  deps: UploadDeps,
  { blob, label }: Pick<UploadItem, 'blob' | 'label'>,
  plan: BlobPlan,
  inboxEpoch: number,
) {
  const { vault, epoch, vaultKey, journal } = deps.vault();
  return {
    blob,
    vault,
    epoch,
    inboxEpoch,
    state: 'capturing' as const,
    capturedAtMs: label.addedAtMs,
    sealedLabel: await sealLabel(vaultKey, { vault, epoch, blob }, label),
    sealedBytes: plan.sealedBytes,
    partBytes: plan.partBytes,
    partCount: plan.partCount,
    ...(!isKnownFolder(journal.state, label.folder) && { awaitsFolder: true as const }),
  };
}

/**
 * Seals a file into this device's files; the record is on the disk before its ciphertext, and says `sealed` when all
 * is.
 * @param onCapture hears of the capture as soon as its parts can be asked for
 * @throws {HalfkeyError} `source_changed`, `device_full`: nothing of it is left then; AbortError
 */
export async function capture(
  deps: UploadDeps,
  item: UploadItem & { readonly source: File; readonly contentKey: Bytes },
  plan: BlobPlan,
  onCapture: (capture: Capture, upload: CapturingUpload) => void,
): Promise<SealedUpload> {
  const { blob, source } = item;
  const { signal } = item.controller;
  // Anyone who ends the session in the middle wipes the other one, and what is sealed must never be zeros.
  const contentKey = item.contentKey.slice();
  using _contentKey = wipeAtEnd(contentKey);
  try {
    const upload = await deps.vault().inboxUse.seal(async (inbox) => {
      const begun = { ...(await beginRecord(deps, item, plan, inbox.epoch)), mode: 'device' as const };
      await deps.records.save(begun);
      return begun;
    });
    signal.throwIfAborted();
    const parts = new Capture(deps.files, blob);
    onCapture(parts, upload);
    const partDigests = await parts.seal(source, plan, { ...upload, contentKey }, signal);
    signal.throwIfAborted();
    return await finishRecord(deps, { label: item.label, contentKey }, upload, partDigests);
  } catch (error) {
    // Anyone who is signed out in the middle finds it again, and is asked for the file.
    if (error instanceof HalfkeyError && error.code === 'session_missing') throw error;
    await deps.records.remove(blob).catch(() => undefined); // What stays is swept, or asked about, at the next start.
    await deps.files.remove(blob).catch(() => undefined);
    throw error;
  }
}

/**
 * Begins, or goes on, with an upload whose parts this device has no room for. The record is on the disk before the
 * first part is made; nothing is captured before all of them are in S3.
 *
 * @param begun as it is stored, with the content key from its draft; undefined for a new one
 * @throws {HalfkeyError} `source_changed` when the file is not the one that was sent in part; `device_full`; AbortError
 */
export async function stream(
  deps: UploadDeps,
  item: UploadItem & { readonly source: File; readonly contentKey: Bytes },
  plan: BlobPlan,
  begun: StreamedUpload | undefined,
): Promise<{ parts: Streaming; upload: StreamedUpload }> {
  const { blob, source, label } = item;
  const contentKey = item.contentKey.slice();
  using _contentKey = wipeAtEnd(contentKey);
  const { signal } = item.controller;
  const streaming = { records: deps.records, source, plan, contentKey, signal };
  if (begun) {
    const { parts } = await Streaming.begin(begun, streaming);
    await parts.compare();
    return { parts, upload: begun };
  }
  const { vault, epoch, inboxUse } = deps.vault();
  return await inboxUse.seal(async (inbox) => {
    const fresh = await beginRecord(deps, item, plan, inbox.epoch);
    const { name, file, folder, sizeBytes, mediaType, modifiedAtMs, addedAtMs } = label;
    const content = { file, folder, name, contentKey, blob, epoch };
    const draft = await sealDraft(
      { ...content, sizeBytes, mediaType, modifiedAtMs, addedAtMs },
      { vault, inbox },
    );
    const { parts, header } = await Streaming.begin(fresh, streaming);
    const upload = { ...fresh, mode: 'streamed' as const, draft, header };
    signal.throwIfAborted();
    await deps.records.save(upload);
    return { parts, upload };
  });
}

/** All parts are known: what the inbox will be told is sealed too, and then the key is not needed any more. */
export async function finishRecord(
  deps: UploadDeps,
  { label, contentKey }: { readonly label: Label; readonly contentKey: Bytes },
  upload: StoredUpload,
  partDigests: Bytes,
): Promise<SealedUpload> {
  const { vault, device, inboxUse } = deps.vault();
  const digest = await digestOf(upload, splitDigests(partDigests));
  const version = versionOf(label, { ...upload, digest });
  const captured = { ...placeOf(label), contentKey, version };
  const sealed = await inboxUse.seal(async (inbox) => {
    const inboxRecord = await sealRecord(captured, { vault, inbox, device });
    const inboxEpoch = inbox.epoch;
    return deps.records.seal(upload.blob, { inboxEpoch, partDigests, inboxRecord });
  });
  if (!sealed) throw new HalfkeyError('device_state_lost', 'the upload was removed meanwhile');
  return sealed;
}
