import type { Bytes } from '../bytes.ts';
import { generateAgreementKeyPair, isAgreementPair } from '../crypto/agreement.ts';
import { openEnvelope, sealEnvelope, type Envelope } from '../crypto/envelope.ts';
import { HalfkeyError } from '../errors.ts';
import type { InboxKey } from '../journal/entries/operations.ts';
import { wipeAtEnd } from '../crypto/wipe.ts';

/** What opens the records and drafts of one inbox epoch. Fill `privateKey` with zeros when done. */
export interface InboxPrivateKey {
  readonly epoch: number;
  /** X25519, 32 bytes. */
  readonly publicKey: Bytes;
  /** 32 bytes. */
  readonly privateKey: Bytes;
}

/** The halves that wrap a private key, and where: as for a file, with purpose `inbox`. */
export interface InboxKeyHalves {
  readonly vault: string;
  /** Of the vault key. */
  readonly epoch: number;
  /** 32 bytes. */
  readonly vaultKey: Bytes;
  /** 32 bytes, of the inbox key's own blob id. */
  readonly kmsHalf: Bytes;
}

/**
 * A new key pair, as the journal will name it, and the envelope of its private half (docs/FORMAT.md §8).
 *
 * @param inbox the id that the KMS half was made for, and the epoch that follows the newest inbox key (0 in a genesis)
 * @throws {HalfkeyError} `kms_half_wrong` when the KMS half is not 32 bytes long
 */
export async function createInboxKey(
  halves: InboxKeyHalves & { readonly kmsBlob: Bytes },
  { blob, epoch }: { readonly blob: string; readonly epoch: number },
): Promise<{ inbox: InboxKey; envelope: Envelope }> {
  const { publicKey, privateKey } = await generateAgreementKeyPair();
  using _privateKey = wipeAtEnd(privateKey);
  const envelope = await sealEnvelope({ ...halves, purpose: 'inbox', blob, contentKey: privateKey });
  return { inbox: { blob, publicKey, epoch }, envelope };
}

/**
 * The private half of an inbox key that the journal names.
 * @throws {HalfkeyError} as `openEnvelope`; `envelope_corrupt` when what is inside is not the named key's other half
 */
export async function openInboxKey(
  halves: InboxKeyHalves & { readonly envelope: Envelope },
  { blob, publicKey, epoch }: InboxKey,
): Promise<InboxPrivateKey> {
  const privateKey = await openEnvelope({ ...halves, purpose: 'inbox', blob });
  if (await isAgreementPair(privateKey, publicKey)) return { epoch, publicKey, privateKey };
  privateKey.fill(0);
  throw new HalfkeyError('envelope_corrupt', 'the envelope holds another key than the one that was named');
}
