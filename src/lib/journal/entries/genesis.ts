import { concat, type Bytes } from '../../bytes.ts';
import { encodeOperation } from './operation-codec.ts';
import type { InboxKey } from './operations.ts';
import { FIRST_EPOCH, journalKey, sealSegment } from './segment.ts';

/** What a new vault begins with. */
export interface GenesisInput {
  readonly vault: string;
  readonly account: string;
  readonly vaultKey: Bytes;
  readonly identityKey: CryptoKey;
  readonly identityPublicKey: Bytes;
  readonly inbox: InboxKey;
  readonly device: {
    readonly id: string;
    readonly publicKey: Bytes;
    readonly agreementKey: Bytes;
    readonly name: string;
    /** See `certifyDevice`. */
    readonly certificate: Bytes;
  };
  readonly keyring: { readonly version: number; readonly hash: Bytes };
  readonly nowMs: number;
}

/** Segment 0, signed by the identity key: the vault, its first inbox key, first device and keyring. */
export async function createGenesis(input: GenesisInput): Promise<Bytes> {
  const { vault, account, vaultKey, identityKey, identityPublicKey, inbox, device, keyring } = input;
  const { id, publicKey, agreementKey, name, certificate } = device;
  const sequence = concat(
    encodeOperation({ kind: 'genesis', vault, account, identityPublicKey, inbox, atMs: input.nowMs }),
    encodeOperation({ kind: 'device-enrol', device: id, publicKey, agreementKey, name, certificate }),
    encodeOperation({ kind: 'keyring', version: keyring.version, hash: keyring.hash }),
  );
  const key = await journalKey(vault, FIRST_EPOCH, vaultKey);
  return sealSegment(key, undefined, sequence, { device: undefined, privateKey: identityKey });
}
