/** Bytes in pieces, one after the other: hex, or so many zeros. What is large is told in a few characters so. */
export type Pieces = readonly (string | number)[];

interface Named {
  readonly name: string;
  /** Section of docs/FORMAT.md. */
  readonly rule: string;
  /** What is wrong with it, or odd about it. */
  readonly says: string;
}

interface Refusal {
  readonly refused: string;
}

export type FloeVector = Named & {
  readonly keyHex: string;
  readonly aadHex: string;
  readonly ciphertext: Pieces;
  readonly expect: Refusal | { readonly sizeBytes: number; readonly sha256Hex: string };
};

export type ContentVector = Named & {
  readonly contentKeyHex: string;
  /** What the journal says of it. */
  readonly version: {
    readonly blob: string;
    readonly epoch: number;
    readonly sizeBytes: number;
    readonly sealedBytes: number;
    readonly partBytes: number;
    readonly digest: string;
  };
  readonly object: Pieces;
  readonly expect: Refusal | { readonly sizeBytes: number; readonly sha256Hex: string };
};

export type EnvelopeVector = Named & {
  readonly kmsHalfHex: string;
  readonly vaultKeyHex: string;
  readonly purpose: 'file' | 'inbox';
  readonly blob: string;
  readonly epoch: number;
  /** The object's text. */
  readonly json: string;
  readonly expect: Refusal | { readonly keyHex: string };
};

export type KeyringVector = Named & {
  readonly account: string;
  /** One of the two. */
  readonly exportKeyHex?: string;
  readonly recoveryEntropyHex?: string;
  readonly keyringB64: string;
  readonly expect:
    | Refusal
    | {
        readonly version: number;
        readonly vaultKeyHex: string;
        readonly userName: string;
        readonly sharingPrivateKeyHex: string;
      };
};

export type WordsVector = Named & {
  readonly text: string;
  readonly expect: Refusal | { readonly entropyHex: string; readonly publicKeyHex: string };
};

export type BackupCodeVector = Named & {
  readonly account: string;
  readonly text: string;
  readonly expect: Refusal | { readonly hashHex: string };
};

export type SignatureVector = Named & {
  readonly publicKeyHex: string;
  readonly messageHex: string;
  readonly signatureHex: string;
  readonly expect: { readonly isSigned: boolean };
};

/** What a reader that stopped, or did not, has. */
export interface JournalOutcome {
  /** Why it stopped before the last segment; null where it did not. */
  readonly refused: string | null;
  /** Section 11.6; null where not even segment 0 counts. */
  readonly head: string | null;
  readonly skipped: number;
  /**
   * Entries in the order of their coming: paths, folders with "/" at the end, " [trash]" behind those that are marked.
   */
  readonly tree: readonly string[];
  /** Of the encoded state (section 12.1) at that head. */
  readonly stateSha256Hex: string | null;
}

export type JournalVector = Named & {
  readonly segmentsB64: readonly string[];
  /** Vault keys of the epochs 1, 2, … that the reader has, each with its object (section 11.7). */
  readonly laterKeys?: readonly { readonly vaultKeyHex: string; readonly objectB64: string }[];
  readonly expect: JournalOutcome;
};

export type SnapshotVector = Named & {
  /** What the `snapshot` operation says. */
  readonly snapshot: {
    readonly seq: number;
    readonly hashHex: string;
    readonly stateHashHex: string;
    readonly pages: readonly {
      readonly page: string;
      readonly sizeBytes: number;
      readonly hashHex: string;
    }[];
  };
  readonly pagesB64: Readonly<Record<string, string>>;
  readonly expect: Refusal | { readonly tree: readonly string[]; readonly skipped: number };
};

export type RecordVector = Named & {
  readonly blob: string;
  readonly recordB64: string;
  readonly expect:
    | Refusal
    | {
        readonly file: string;
        readonly folder: string;
        readonly name: string;
        readonly contentKeyHex: string;
      };
};

export type DraftVector = RecordVector;

/** Everything in tests/vectors/adversarial-v1, by the names of its files. */
export interface Kit {
  readonly floe: { readonly vectors: readonly FloeVector[] };
  readonly contents: { readonly vault: string; readonly vectors: readonly ContentVector[] };
  readonly envelopes: { readonly vault: string; readonly vectors: readonly EnvelopeVector[] };
  readonly keyrings: { readonly vectors: readonly KeyringVector[] };
  readonly words: { readonly vectors: readonly WordsVector[] };
  readonly 'backup-codes': { readonly vectors: readonly BackupCodeVector[] };
  readonly signatures: { readonly vectors: readonly SignatureVector[] };
  readonly journals: VaultKnown & { readonly vectors: readonly JournalVector[] };
  readonly snapshots: VaultKnown & { readonly vectors: readonly SnapshotVector[] };
  /** `segmentsB64`: the journal that the records are read by; `inboxPrivateKeysHex` by inbox epoch. */
  readonly records: InboxKnown & { readonly vectors: readonly RecordVector[] };
  readonly drafts: InboxKnown & { readonly vectors: readonly DraftVector[] };
}

/** What a reader of a journal knows beforehand. */
export interface VaultKnown {
  readonly vault: string;
  readonly account: string;
  readonly epoch: number;
  readonly vaultKeyHex: string;
  readonly identityPublicKeyHex: string;
}

export interface InboxKnown extends VaultKnown {
  readonly segmentsB64: readonly string[];
  readonly inboxPrivateKeysHex: readonly string[];
}

/** The names of its files. */
export const KINDS = [
  'floe',
  'contents',
  'envelopes',
  'keyrings',
  'words',
  'backup-codes',
  'signatures',
  'journals',
  'snapshots',
  'records',
  'drafts',
] as const satisfies readonly (keyof Kit)[];

export type Kind = (typeof KINDS)[number];

/** The bytes that pieces stand for. */
export function bytesIn(pieces: Pieces): Uint8Array<ArrayBuffer> {
  const parts = pieces.map((piece) =>
    typeof piece === 'number' ? new Uint8Array(piece) : bytesOfHex(piece),
  );
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

export const bytesOfHex = (digits: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

export const bytesOfB64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
