import { BY_READER } from '../by-reader.ts';
import type { JournalOutcome, JournalVector, VaultKnown } from '../kit.ts';
import { READER } from '../reader.ts';
import { base64, hex } from '../writing/bytes.ts';
import { KNOWN } from '../writing/log.ts';
import { CBOR_VECTORS } from './cbor.ts';
import { CHAIN_VECTORS, PADDING_VECTORS } from './chain.ts';
import { ENTRY_VECTORS } from './entries.ts';
import { EPOCH_VECTORS, SINCE_VECTORS } from './epochs.ts';
import { FIELD_VECTORS } from './fields.ts';
import type { JournalSpec } from './spec.ts';
import { VAULT_VECTORS } from './vault.ts';

/** What the readers of all journals here know beforehand. */
export const VAULT_KNOWN: VaultKnown = {
  vault: KNOWN.vault,
  account: KNOWN.account,
  epoch: KNOWN.epoch,
  vaultKeyHex: hex(KNOWN.vaultKey),
  identityPublicKeyHex: hex(KNOWN.identityPublicKey),
};

const SPECS: readonly JournalSpec[] = [
  ...CHAIN_VECTORS,
  ...PADDING_VECTORS,
  ...CBOR_VECTORS,
  ...FIELD_VECTORS,
  ...ENTRY_VECTORS,
  ...VAULT_VECTORS,
  ...SINCE_VECTORS,
  ...EPOCH_VECTORS,
];

/**
 * The journals. Head and hash are the independent reader's; everything else was thought first, and must be what it
 * finds.
 * @throws {Error} where it is not
 */
export const journalVectors = (): JournalVector[] => SPECS.map(vectorOf);

function vectorOf({ name, rule, says, log, turns, expect }: JournalSpec): JournalVector {
  const laterKeys = turns?.map(({ vaultKey, object }) => ({
    vaultKeyHex: hex(vaultKey),
    objectB64: base64(object),
  }));
  const segments = { segmentsB64: log.map(base64), ...(laterKeys && { laterKeys }) };
  const vector = { name, rule, says, ...segments };
  const unknown: JournalOutcome = { refused: null, head: null, skipped: 0, tree: [], stateSha256Hex: null };
  const kit = { ...VAULT_KNOWN, vectors: [] };
  const found = BY_READER.journals(READER, kit, { ...vector, expect: unknown }) as JournalOutcome;
  const thought = { refused: null, ...expect };
  const [is, was] = [
    JSON.stringify([found.refused, found.skipped, found.tree]),
    JSON.stringify([thought.refused, thought.skipped, thought.tree]),
  ];
  if (is !== was) throw new Error(`${name}: expected ${was}, found ${is}`);
  return { ...vector, expect: found };
}
