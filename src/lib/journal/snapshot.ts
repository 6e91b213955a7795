import { concat, equalBytes, type Bytes } from '../bytes.ts';
import { sealAad } from '../crypto/aad.ts';
import { sha256 } from '../crypto/digest.ts';
import { open, seal } from '../crypto/floe.ts';
import { randomId } from '../crypto/random.ts';
import { HalfkeyError } from '../errors.ts';
import { isCertified } from './entries/certificate.ts';
import type { TrustRoot } from './chain.ts';
import type { JournalKeys } from './journal-keys.ts';
import type { FoldedVault } from './state/folded-vault.ts';
import type { SnapshotName, SnapshotPage } from './entries/operations.ts';
import type { JournalRemote } from './ports.ts';
import type { JournalHead, JournalKey } from './entries/segment.ts';
import { isSound } from './state/state-check.ts';
import { decodeState, encodeState } from './state/state-encoding.ts';

/** Bytes of state in one page; the last has the rest. */
const PAGE_BYTES = 16 * 1024 * 1024 - 64 * 1024; // So that the sealed page stays below 16 MiB.

/** Seals a state in pages under new ids, and the operation's content that names them. */
export async function sealSnapshot(
  { vault, epoch, key }: JournalKey,
  state: FoldedVault,
  head: JournalHead,
): Promise<{ snapshot: SnapshotName; pages: { page: string; bytes: Bytes }[] }> {
  const encoded = encodeState(state, head);
  const pages: { page: string; bytes: Bytes }[] = [];
  const named: SnapshotPage[] = [];
  for (let offset = 0; offset < encoded.length; offset += PAGE_BYTES) {
    const page = randomId();
    const content = encoded.subarray(offset, offset + PAGE_BYTES);
    const bytes = await seal(key, sealAad('snapshot', vault, page, epoch), content);
    pages.push({ page, bytes });
    named.push({ page, sizeBytes: bytes.length, sha256: await sha256(bytes) });
  }
  return { snapshot: { ...head, stateHash: await sha256(encoded), pages: named }, pages };
}

/**
 * Fetches and opens a snapshot, and believes nothing of it that it can check: pages, state and place by their hashes,
 * the form, genesis and devices by the identity key, the encoding by encoding it again. What is left out of it only the
 * log can tell.
 *
 * @param epoch of the segment that names it: its pages are sealed under that one's key
 * @throws {HalfkeyError} `snapshot_wrong`; of the family unreachable
 */
export async function loadSnapshot(
  { root, keys }: { readonly root: TrustRoot; readonly keys: JournalKeys },
  remote: JournalRemote,
  snapshot: SnapshotName,
  epoch: number,
): Promise<{ state: FoldedVault; head: JournalHead }> {
  const wrong = (why: string, cause?: unknown): HalfkeyError =>
    new HalfkeyError('snapshot_wrong', `snapshot ${String(snapshot.seq)}: ${why}`, {
      detail: { seq: snapshot.seq },
      cause,
    });
  const sealing = keys.of(epoch);
  if (!sealing) throw wrong(`there is no key of epoch ${String(epoch)}`);
  const { vault, key } = sealing;
  const contents = await Promise.all(
    snapshot.pages.map(async ({ page, sizeBytes, sha256: expected }) => {
      const bytes = await remote.getPage(snapshot.seq, page, sizeBytes);
      if (bytes.length !== sizeBytes || !equalBytes(await sha256(bytes), expected))
        throw wrong('a page is not the one that was named');
      try {
        return await open(key, sealAad('snapshot', vault, page, epoch), bytes);
      } catch (cause) {
        throw wrong('a page does not open', cause);
      }
    }),
  );
  const encoded = concat(...contents);
  if (!equalBytes(await sha256(encoded), snapshot.stateHash)) throw wrong('the state is not the one named');
  let decoded;
  try {
    decoded = decodeState(encoded);
  } catch (cause) {
    throw wrong('it is malformed', cause);
  }
  const { state, head } = decoded;
  if (head.seq !== snapshot.seq || !equalBytes(head.hash, snapshot.hash))
    throw wrong('it is of another place');
  if (!isSound(state) || !(await isRooted(state, root))) throw wrong('no fold gives such a state');
  // What two readers write alike can be compared as a whole: no other encoding of the same state is taken.
  if (!equalBytes(await sha256(encodeState(state, head)), snapshot.stateHash))
    throw wrong('it is encoded in another way');
  return { state, head };
}

async function isRooted({ genesis, devices }: FoldedVault, root: TrustRoot): Promise<boolean> {
  if (genesis?.vault !== root.vault || genesis.account !== root.account) return false;
  if (!equalBytes(genesis.identityPublicKey, root.identityPublicKey)) return false;
  const certified = await Promise.all(
    [...devices.values()].map((device) => isCertified(root.identityPublicKey, root.account, device)),
  );
  return certified.every(Boolean);
}
