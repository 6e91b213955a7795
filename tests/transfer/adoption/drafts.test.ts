import { beforeEach, describe, expect, it } from 'vitest';
import type { BlobId } from '$contract/ids.ts';
import { randomBytes } from '../../../src/lib/crypto/random.ts';
import { sealDraft } from '../../../src/lib/inbox/draft.ts';
import type { StoredUpload, StreamedUpload } from '../../../src/lib/store/database.ts';
import { inboxEpochsOf, openDraftKey } from '../../../src/lib/transfer/adoption/drafts.ts';
import { InboxKeys } from '../../../src/lib/transfer/adoption/inbox-keys.ts';
import { refusalCode } from '../../crypto/refusal.ts';
import { idOf, versionOf } from '../../journal/world.ts';
import { openVaultWorld, type VaultWorld } from '../../support/vault-world.ts';

let world: VaultWorld;
let keys: InboxKeys;
const contentKey = randomBytes(32);
const blob = idOf('blob', 1);
const REST = { blob, inboxEpoch: 5 } as StoredUpload;

beforeEach(async () => {
  world = await openVaultWorld();
  keys = new InboxKeys(() => world.open);
});

async function upload(): Promise<StreamedUpload> {
  const { sizeBytes, mediaType, modifiedAtMs, addedAtMs } = versionOf(1);
  const content = { file: idOf('file', 1), folder: '', name: 'a.txt', contentKey, blob, epoch: 0 };
  const draft = await sealDraft(
    { ...content, sizeBytes, mediaType, modifiedAtMs, addedAtMs },
    { vault: world.vault, inbox: world.journal.state.newestInboxKey! },
  );
  return { ...REST, mode: 'streamed', draft } as StreamedUpload;
}

describe('the draft of an upload that was cut off', () => {
  it('gives its content key back after a code', async () => {
    expect(await openDraftKey(world.open, keys, await upload())).toEqual(contentKey);
  });

  it('does not without one', async () => {
    world.isOpen = false;
    expect(await refusalCode(openDraftKey(world.open, keys, await upload()))).toBe('locked');
  });

  it('leaves the inbox key open for the next one, and that key is not the caller’s to wipe', async () => {
    const both = [await upload(), await upload()];
    for (const each of both) expect(await openDraftKey(world.open, keys, each)).toEqual(contentKey);
    expect(world.heard).toHaveLength(1);
  });

  it('is lost where it is of a key that the journal does not name', async () => {
    const elsewhere = await openVaultWorld();
    const none = { ...elsewhere.open, journal: { state: { inboxKey: () => undefined } } } as never;
    expect(await refusalCode(openDraftKey(none, keys, await upload()))).toBe('device_state_lost');
  });

  it('does not open for another blob', async () => {
    const other = { ...(await upload()), blob: idOf('blob', 2) as BlobId };
    await expect(openDraftKey(world.open, keys, other)).rejects.toThrow();
  });
});

it('names the epochs of record and draft of each upload that rests here', async () => {
  expect(inboxEpochsOf([await upload(), { ...REST, mode: 'device', inboxEpoch: 3 }])).toEqual([5, 0, 3]);
});
