import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SEGMENT_HEAD } from '$contract/segment.ts';
import type { Head } from '$contract/accounts.ts';
import type { VaultId } from '$contract/ids.ts';
import type { Session } from '../../broker/domain/account/session.ts';
import { envelopesWrite } from '$contract/vault-keys.ts';
import { MemoryVaultCloud, newVaultId } from '../support/memory-vault-cloud.ts';
import { answer, ask, serveVaults } from '../support/vault-broker.ts';
import {
  deviceOf,
  envelopeOf,
  newBlobId,
  newSession,
  openVault,
  segmentAfter,
  signedSegment,
  startVaultSide,
} from '../support/vault-side.ts';

/** An envelope and the entry that it makes readable, sent as one. */
let setting: Awaited<ReturnType<typeof adopting>>;
beforeEach(async () => {
  setting = await adopting();
});

async function adopting() {
  const cloud = new MemoryVaultCloud();
  const { state, vaultObjects: objects, purger, kms } = cloud;
  const side = startVaultSide({ state, objects, purger, kms });
  const session = newSession();
  const vault = newVaultId();
  const head = await openVault(side, session, vault);
  const { id: grant } = await side.grants.issue(session, { kind: 'release' });
  const blob = newBlobId();
  const order = { grant, purpose: 'file', epoch: 0, blobs: [blob] } as const;
  const [made] = await side.keys.generate(session, vault, order);
  if (!made) throw new Error('expected a half');
  await objects.create(vault, `blobs/${blob}`, randomBytes(9));
  const stranger = newSession();
  const app = serveVaults(side, [session, stranger]);
  const envelope = { blob, envelope: envelopeOf(made.kmsBlob), proof: made.proof };
  const write = (envelopes: unknown[], entry: Uint8Array, by: Session = session) =>
    ask(app, by, envelopesWrite, vault, {
      envelopes,
      entry: { segment: Buffer.from(entry).toString('base64url') },
    });
  /** What of both is there, in the order in which it was written. */
  const written = () =>
    [...cloud.objects.keys()]
      .map((key) => key.replace(`v/${vault}/`, ''))
      .filter((key) => key === 'log/1' || key === `keys/${blob}/0`);
  return { cloud, side, session, stranger, vault, head, envelope, write, written };
}

/** One that the session's device has signed. */
function segmentOf(session: Session, vault: VaultId, after: Head): Uint8Array {
  const { id, privateKey } = deviceOf(session);
  const bytes = segmentAfter(after);
  bytes.set(Buffer.from(id, 'base64url'), SEGMENT_HEAD.writerOffset);
  return signedSegment(vault, bytes, privateKey);
}

describe('an entry that is sent with its envelopes', () => {
  it('is written after them, and again is no other', async () => {
    const { session, vault, head, envelope, write, written, side } = setting;
    const segment = segmentOf(session, vault, head);
    const first = await answer<{ head: unknown }>(await write([envelope], segment));
    expect(first).toMatchObject({ refused: [], head: { seq: 1 } });
    expect(written()).toEqual([`keys/${envelope.blob}/0`, 'log/1']);
    expect(await answer(await write([envelope], segment))).toEqual(first);
    expect((await side.requireMember(session.account, vault)).head).toEqual(first.head);
  });

  it('is not, when one of them is refused; the others stand', async () => {
    const { session, vault, head, envelope, write, written } = setting;
    const lost = { ...envelope, blob: newBlobId() };
    const answered = await answer(await write([lost, envelope], segmentOf(session, vault, head)));
    expect(answered).toEqual({ refused: [{ blob: lost.blob, epoch: 0, code: 'grant_missing' }] });
    expect(written()).toEqual([`keys/${envelope.blob}/0`]);
  });

  it('is not, when another was first; the envelopes stand', async () => {
    const { session, vault, head, envelope, write, written } = setting;
    const away = { seq: head.seq, hash: randomBytes(32).toString('base64url') };
    const response = await write([envelope], segmentOf(session, vault, away));
    expect(await response.json()).toMatchObject({ code: 'head_changed' });
    expect(written()).toEqual([`keys/${envelope.blob}/0`]);
  });

  it('is not, when another device has signed it', async () => {
    const { vault, head, envelope, write, written } = setting;
    const response = await write([envelope], segmentOf(newSession(), vault, head));
    expect(await response.json()).toMatchObject({ code: 'input_malformed' });
    expect(written()).not.toContain('log/1');
  });

  it('has its blob looked for while the one who asks is still being admitted, and no stranger’s', async () => {
    const { cloud, session, stranger, vault, head, envelope, write } = setting;
    const order: string[] = [];
    const { vaultObjects: objects, state } = cloud;
    const [describe, read] = [objects.describe.bind(objects), state.read.bind(state)];
    vi.spyOn(objects, 'describe').mockImplementation((...about) => {
      order.push('blob');
      return describe(...about);
    });
    vi.spyOn(state, 'read').mockImplementation(async (key) => {
      const found = await read(key);
      if (key === `m/${vault}`) order.push('member');
      return found;
    });
    const segment = segmentOf(session, vault, head);
    expect((await write([envelope], segment, stranger)).status).toBe(403);
    expect(order).toEqual(['member']);
    await answer(await write([envelope], segment));
    expect(order).toEqual(['member', 'blob', 'member']);
  });
});
