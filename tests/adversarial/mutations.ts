/**
 * One rule of the independent reader that is left out, or another: what somebody forgets who writes the next reader.
 */
export interface Mutation {
  readonly rule: string;
  /** Of tests/reader. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly from: string;
  readonly to: string;
  /** What would find the same fault by another way, left out as well: each stands in its file exactly once. */
  readonly besides?: readonly Omission[];
}

interface Omission {
  readonly file: string;
  readonly from: string;
}

const of =
  (file: string) =>
  (rule: string, from: string, to: string, ...besides: Omission[]): Mutation => ({
    ...{ file, rule, from, to },
    besides,
  });

const primitives = of('primitives.ts');
const floe = of('floe.ts');
const content = of('content.ts');
const envelope = of('envelope.ts');
const keyring = of('keyring.ts');
const cbor = of('cbor.ts');
const kit = of('kit.ts');
const backup = of('backup-code.ts');
const hpke = of('hpke.ts');
const inbox = of('inbox.ts');
const segment = of('segment.ts');
const journal = of('journal.ts');
const operations = of('operations.ts');
const certificate = of('certificate.ts');
const fold = of('fold.ts');
const freeName = of('free-name.ts');
const columns = of('columns.ts');
const snapshot = of('snapshot.ts');
const stateBytes = of('state-bytes.ts');

/** A reader may compare the state that it has read with the bytes, or not: the rules hold either way. */
const ENCODED: Omission = {
  file: 'snapshot.ts',
  from: "demand(equal(encodeState(state, snapshot), encoded), CODE, 'a state that is encoded in another way');",
};
/** The account and its identity key are in the certificates, too. */
const CERTIFIED: Omission = { file: 'snapshot.ts', from: ' && isCertified(genesis, enrolment)' };

export const MUTATIONS: readonly Mutation[] = [
  primitives(
    'base64url may have padding or trailing bits',
    "demand(Buffer.from(bytes).toString('base64url') === text, code, 'base64url that is not canonical');",
    '',
  ),
  primitives(
    'an id may have trailing bits',
    "text.length === 22 && Buffer.from(text, 'base64url').toString('base64url') === text;",
    'text.length === 22 && /^[A-Za-z0-9_-]*$/.test(text);',
  ),
  primitives('an id may have any length', 'text.length === 22 && Buffer', 'Buffer'),
  primitives('fields are not length-prefixed', 'return [u32be(bytes.length), bytes];', 'return [bytes];'),
  primitives(
    'a derivation leaves out the suite',
    "prefixed('halfkey/1', purpose, ...ids)",
    'prefixed(purpose, ...ids)',
  ),
  primitives(
    'an AAD leaves out the epoch',
    "prefixed('halfkey/1', type, owner, id, u32be(epoch))",
    "prefixed('halfkey/1', type, owner, id)",
  ),
  primitives('a public key may be of small order', '!isLarge(publicKey) || ', ''),
  primitives(
    'the first half of a signature may be of small order',
    ' || !isLarge(signature.subarray(0, 32))',
    '',
  ),
  primitives('a point may be encoded in another way', 'return y < P && ', 'return '),
  primitives(
    'a public key may have any length',
    'if (publicKey.length !== 32 || signature.length !== 64) return false;',
    '',
  ),

  floe(
    'a short header is taken',
    "demand(ciphertext.length >= HEADER_BYTES, 'ciphertext_truncated', 'no whole header');",
    '',
  ),
  floe(
    'parameters are not looked at',
    "demand(equal(ciphertext.subarray(0, 10), PARAMETERS), 'format_malformed', 'other parameters');",
    '',
  ),
  floe(
    'the header tag is not looked at',
    "demand(timingSafeEqual(tag, ciphertext.subarray(42, HEADER_BYTES)), 'key_mismatch', 'another header tag');",
    '',
  ),
  floe('a header alone is empty', "demand(segments > 0, 'ciphertext_truncated', 'no segment');", ''),
  floe(
    'the mark before a segment is not looked at',
    'if (!equal(sealed.subarray(0, 4), marker))',
    'if (marker.length === 0)',
  ),
  floe(
    'the index is not in GCM’s AAD',
    'u64be(index), new Uint8Array([isLast',
    'u64be(0), new Uint8Array([isLast',
  ),
  floe(
    'whether it is the last is not in GCM’s AAD',
    'new Uint8Array([isLast ? 1 : 0])',
    'new Uint8Array([0])',
  ),
  floe(
    'the tag of a segment is not looked at',
    'decipher.update(sealed.subarray(16, -16)), decipher.final()',
    'decipher.update(sealed.subarray(16, -16))',
  ),
  floe(
    'the AAD is not in the derivation',
    'purpose, aad, new Uint8Array([1])',
    'purpose, new Uint8Array([1])',
  ),
  floe(
    'a last segment that says it has more bytes is corrupt',
    "return isLast && mark > sealed.length ? 'ciphertext_truncated' : 'ciphertext_overlong';",
    "return 'segment_corrupt';",
  ),
  floe(
    'a last segment that begins as an inner one is corrupt',
    "if (isLast && mark === 0xffffffff) return 'ciphertext_truncated';",
    '',
  ),

  content('Padmé keeps a bit too many', 'exponent - bitsOfExponent', 'exponent - bitsOfExponent - 1'),
  content(
    'an empty content is not padded',
    'if (sizeBytes < 2) return 1;',
    'if (sizeBytes < 2) return sizeBytes;',
  ),
  content('sealedBytes need not fit sizeBytes', 'isWhole && isFitting', 'isWhole'),
  content('partBytes may be anything', 'isWhole && isFitting', 'isFitting'),
  content('partBytes may be 0', 'place.partBytes > 0 && ', ''),
  content('partBytes may be above 512 MiB', 'place.partBytes <= MAX_PART_BYTES && ', ''),
  content(
    'the digest is not looked at',
    "demand(digestOf(object, place) === place.digest, 'digest_mismatch', 'another digest than the journal says');",
    '',
  ),
  content('the first part has no header', 'HEADER_BYTES + partBytes', 'partBytes'),
  content('padding is given out', 'plaintext.slice(0, place.sizeBytes)', 'plaintext'),
  content('a composite digest has no number of parts', '-${String(parts.length)}`', '-1`'),

  envelope(
    'the suite is not looked at',
    "demand(suite === 'halfkey/1', 'format_unknown', 'another suite');",
    '',
  ),
  envelope(
    'other members are passed over',
    "demand([...members.keys()].sort().join() === MEMBERS.join(), code, 'other members');",
    '',
  ),
  envelope(
    'the epoch of the name is not looked at',
    "demand(members.get('epoch') === epoch, code, 'another epoch than the name says');",
    '',
  ),
  envelope(
    'halves may have other lengths',
    "demand(halves.kmsHalf.length === 32 && halves.vaultKey.length === 32, 'kms_half_wrong', 'not 32 bytes');",
    '',
  ),
  envelope('a salt may have another length', 'salt.length === 32 && ', ''),
  envelope('a sealed key may have another length', 'sealedKey.length === 138 && ', ''),
  envelope('a KMS blob may be longer', ' && kmsBlob.length <= 1024', ''),
  envelope(
    'the KMS blob is not in the AAD',
    'prefixed(sha256(kmsBlob))',
    'prefixed(sha256(new Uint8Array(0)))',
  ),
  envelope(
    'the purpose is not in the derivation',
    'derive(ikm, salt, halves.purpose, vault',
    "derive(ikm, salt, 'file', vault",
  ),
  envelope('the blob is not in the derivation', 'vault, blob, u32be(epoch));', 'vault, u32be(epoch));'),
  envelope(
    'every fault is damage',
    "error.code === 'key_mismatch' ? 'kms_half_wrong' : 'envelope_corrupt'",
    "'envelope_corrupt'",
  ),
  envelope(
    'every fault is a wrong half',
    "error.code === 'key_mismatch' ? 'kms_half_wrong' : 'envelope_corrupt'",
    "'kms_half_wrong'",
  ),

  keyring(
    'the magic is not looked at',
    "equal(bytes.subarray(0, 4), utf8('HKK1')) && bytes.length > 68",
    'bytes.length > 68',
  ),
  keyring(
    'the account is not looked at',
    "demand(textAt(map, 'account', CODE) === account, CODE, 'of another account');",
    '',
  ),
  keyring(
    'the signature is not looked at',
    "demand(isSignedBy(identityPublicKey, signature, signed), CODE, 'not signed by the identity key');",
    '',
  ),
  keyring(
    'the identity key need not be the one in the wrap',
    "demand(equal(ed25519PublicKey(keys.identitySeed), identityPublicKey), CODE, 'another identity key');",
    '',
  ),
  keyring(
    'the sharing key’s signature is not looked at',
    "demand(isSignedBy(identityPublicKey, signature, signed), CODE, 'a sharing key that is not signed');",
    '',
  ),
  keyring(
    'the sharing key’s halves need be no pair',
    "demand(equal(x25519PublicKey(sharingPrivateKey), sharingPublicKey), CODE, 'halves of two sharing keys');",
    '',
  ),
  keyring('a version may be 0', "demand(version >= 1, CODE, 'a version below 1');", ''),
  keyring('an epoch may be any count', "demand(epoch < 2 ** 32, CODE, 'an epoch beyond 32 bits');", ''),
  keyring(
    'the other opener’s wraps are not looked at',
    "['byExport', 'byRecovery'].map((name) => {",
    '[entry].map((name) => {',
  ),
  keyring(
    'the wraps’ id is not in their AAD',
    'aad(type, account, id, 0)',
    "aad(type, account, 'export', 0)",
  ),
  keyring(
    'the two wraps are of one type',
    "unwrap('identity', 'identity-key')",
    "unwrap('identity', 'account-key')",
  ),
  keyring(
    'the vault key’s epoch is not in its AAD',
    "aad('vault-key', account, vault, epoch)",
    "aad('vault-key', account, vault, 0)",
  ),
  cbor(
    'an encoding that is not deterministic is taken',
    "demand(equal(toCbor(value), bytes), code, 'CBOR that is not in the deterministic encoding');",
    '',
  ),
  cbor('other entries of a map are passed over', 'found.length === keys.length && ', ''),
  cbor('byte strings may have any length', 'sizeBytes === undefined || value.length === sizeBytes', 'true'),
  cbor('a number in a keyring may be no integer', 'Number.isSafeInteger(value) && value >= 0', 'true'),

  kit(
    'words may be 23',
    'demand(words.length === 24, CODE, `${String(words.length)} words, expected 24`);',
    '',
  ),
  kit(
    'the checksum is not looked at',
    "demand(bytes[32] === sha256(entropy)[0], CODE, 'another checksum');",
    '',
  ),
  kit('words are taken in lower case alone', '      .toLowerCase()\n', ''),
  kit('letters are taken as they are', "      .normalize('NFKD')\n", ''),
  kit('words are divided by white space alone', '.match(/[a-z]+/g)', '.match(/\\S+/g)'),
  backup('a backup code is taken in upper case alone', '    .toUpperCase()', ''),
  backup('a backup code’s letters are taken as they are', "    .normalize('NFKC')\n", ''),
  backup('a backup code may have other characters', '/^[A-Z2-7]{16}$/', '/^[A-Z0-9]{16}$/'),
  backup('a backup code may have any length', '/^[A-Z2-7]{16}$/', '/^[A-Z2-7]+$/'),

  hpke(
    'info is not in the derivation',
    "extract(HPKE, EMPTY, 'info_hash', info)",
    "extract(HPKE, EMPTY, 'info_hash', EMPTY)",
  ),
  hpke('aad is not looked at', '.setAAD(aad)', '.setAAD(EMPTY)'),
  hpke(
    'the tag is not looked at',
    'concat(decipher.update(ciphertext), decipher.final())',
    'concat(decipher.update(ciphertext))',
  ),
  inbox('the magic of a record is not looked at', " && equal(record.subarray(0, 4), utf8('HKI1'))", ''),
  inbox(
    'the writer of a record may be revoked',
    'device !== undefined && device.revoked === undefined',
    'device !== undefined',
  ),
  inbox(
    'the signature of a record is not looked at',
    "demand(isSignedBy(device.enrolment.publicKey, signature, message), REFUSED, 'signature');",
    '',
  ),
  inbox(
    'a record’s signature is not over its blob',
    "prefixed('halfkey/inbox/1', vault, blob, head, sha256(sealed))",
    "prefixed('halfkey/inbox/1', vault, head, sha256(sealed))",
  ),
  inbox('a record may be sealed to a retired key', ' && epoch >= state.oldestInboxEpoch', ''),
  inbox(
    'a record may be sealed to a key that is not in the journal',
    'state.inboxKeys.some(({ inbox }) => inbox.epoch === epoch) && ',
    '',
  ),
  inbox(
    'padding of a record may be anything',
    "  demand(\n    plaintext.subarray(end).every((byte) => byte === 0),\n    code,\n    'padding that is not zero',\n  );",
    '',
  ),
  inbox('a record may hold something behind its file', ' && first?.[1].length === 0', ''),
  inbox(
    'a record may hold another operation',
    "operation?.kind === 'file-add' && ",
    "(operation?.kind === 'file-add' || operation?.kind === 'version-add') && ",
  ),
  inbox('a record may be of another blob', "demand(version.blob === blob, REFUSED, 'another blob');", ''),
  inbox('the magic of a draft is not looked at', " && equal(draft.subarray(0, 4), utf8('HKD1'))", ''),
  inbox(
    'a draft may be of another blob',
    "demand(fields?.blob === blob, LOST, 'malformed, or of another blob');",
    "demand(fields !== undefined, LOST, 'malformed');",
  ),

  cbor('indefinite lengths are taken', 'allowIndefinite: false', 'allowIndefinite: true'),
  cbor('integers may be longer than needed', '  strict: true,', '  strict: false,'),
  cbor('undefined is taken', 'allowUndefined: false', 'allowUndefined: true'),
  cbor('NaN is taken', 'allowNaN: false', 'allowNaN: true'),
  cbor('infinities are taken', 'allowInfinity: false', 'allowInfinity: true'),
  cbor('integers beyond 2^53 − 1 are taken', 'allowBigInt: false', 'allowBigInt: true'),
  cbor('a key of a map may come twice', 'rejectDuplicateMapKeys: true', 'rejectDuplicateMapKeys: false'),
  cbor('17 levels are taken', 'const MAX_LEVELS = 16;', 'const MAX_LEVELS = 17;'),
  cbor('16 levels are refused', 'const MAX_LEVELS = 16;', 'const MAX_LEVELS = 15;'),
  cbor(
    'what is below a level is not counted',
    'return levels > 0 && Object.values(inside).every((one) => isShallow(one, levels - 1));',
    'return levels > 0;',
  ),

  segment('a segment may be shorter than its head', 'bytes.length > HEADER_BYTES && ', ''),
  segment(
    'the magic is not looked at',
    "demand(equal(bytes.subarray(0, 4), utf8('HKJ1')), CODE, 'another magic');",
    '',
  ),
  segment(
    'a seq may be beyond 2^53',
    "demand(seq <= BigInt(Number.MAX_SAFE_INTEGER), CODE, 'a seq beyond 2^53 − 1');",
    '',
  ),
  segment('padding may be anything', ' && plaintext.subarray(4 + length).every((byte) => byte === 0)', ''),
  segment('there may be more or less padding', 'plaintext.length === paddedLength && ', ''),
  segment('a plaintext may have any length', 'if (plaintext.length < 512) return undefined;', ''),
  segment(
    'a signature is not over its vault',
    "    'halfkey/journal/1',\n    vault,",
    "    'halfkey/journal/1',",
  ),
  segment('a signature is not over its seq', '    u64be(segment.seq),\n', ''),
  segment('a signature is not over prevHash', '    segment.prevHash,\n    u32be', '    u32be'),
  segment('a signature is not over its epoch', '    u32be(segment.epoch),\n', ''),
  segment('a signature is not over its writer', '    segment.writer,\n    sha256', '    sha256'),
  segment('a signature is not over its ciphertext', '    sha256(segment.ciphertext),\n', ''),
  segment('a seq is sealed in binary', 'String(segment.seq)', 'String.fromCharCode(segment.seq)'),
  journal('the epoch is not looked at', 'isTrusted && segment.epoch === epoch', 'isTrusted'),
  journal(
    'the seq is not looked at',
    "demand(segment.seq === seq, 'journal_gap', `seq ${String(segment.seq)}, expected ${String(seq)}`);",
    '',
  ),
  journal('revoked devices may write', 'isSigned && enrolled?.revoked === undefined', 'isSigned'),
  journal(
    'the signature is not looked at',
    'isSignedBy(publicKey, segment.signature, signedBytes(known.vault, segment))',
    'publicKey.length > 0',
  ),
  journal(
    'every signature is the identity key’s',
    'isIdentity ? known.identityPublicKey : enrolled?.enrolment.publicKey',
    'known.identityPublicKey',
  ),
  journal(
    'the chain is not looked at',
    'if (!equal(segment.prevHash, head?.hash ?? new Uint8Array(32))) {',
    'if (head === null) {',
  ),
  journal(
    'a genesis is not asked for',
    'if (seq === 0) demandGenesis(known, isIdentity, sequence ?? new Uint8Array(0));',
    '',
  ),
  journal('a genesis may be of another vault', 'genesis.vault === known.vault &&', ''),
  journal('a genesis may be of another account', '      genesis.account === known.account &&\n', ''),
  journal(
    'a genesis may be of another identity key',
    '      genesis.account === known.account &&\n      equal(genesis.identityPublicKey, known.identityPublicKey),',
    '      genesis.account === known.account,',
  ),
  journal(
    'a void segment ends the reading',
    'if (judged.isVoid) voids.push',
    "if (judged.isVoid) throw new Refused('journal_corrupt', 'void'); else voids.push",
  ),
  journal(
    'a void segment is not counted',
    '      state.skipped += 1;\n      if (judged.isVoid)',
    '      if (judged.isVoid)',
  ),
  journal(
    'a void segment is not in the chain',
    '    head = { seq: segment.seq, hash: segment.hash };',
    '    if (!judged.isVoid) head = { seq: segment.seq, hash: segment.hash };',
  ),
  journal('every other history is a fork', "isTrusted ? 'fork' : 'journal_corrupt'", "'fork'"),
  journal('no other history is a fork', "isTrusted ? 'fork' : 'journal_corrupt'", "'journal_corrupt'"),
  journal('a right signature of a revoked device makes a fork', "isTrusted ? 'fork'", "isSigned ? 'fork'"),
  journal('a wrong signature is trusted', 'const isTrusted = isSigned && ', 'const isTrusted = '),
  journal(
    'a new vault key need not be proven',
    "demand(isProven(known, state), 'epoch_key_missing', `no key of epoch ${String(epoch)}`);",
    '',
  ),
  journal(
    'the object of a new vault key may be any',
    ' || !equal(sha256(held.object), hash)) return false',
    ') return false',
  ),
  journal(
    'the object of a new vault key may hold anything',
    "return equal(openFloe(key, aad('previous-key', known.vault, rotation, epoch), held.object), before);",
    "openFloe(key, aad('previous-key', known.vault, rotation, epoch), held.object);\n    return true;",
  ),
  journal(
    'the object of a new vault key may be of another rotation',
    "return equal(openFloe(key, aad('previous-key', known.vault, rotation, epoch), held.object), before);",
    'return true;',
  ),
  journal(
    'the first vault key opens every epoch',
    'return epoch === 0 ? known.vaultKey : known.turned?.[epoch - 1]?.vaultKey;',
    'return known.vaultKey;',
  ),
  journal(
    'what was signed since a segment stays',
    'if (more !== undefined) return',
    'if (more === null) return',
  ),
  journal(
    'what was signed since a segment counts nowhere, and later too',
    'since !== undefined && segment.seq >= since',
    'since !== undefined && segment.seq > since',
  ),
  journal(
    'a head is told by other letters',
    'abcdefghjkmnpqrstuvwxyz023456789',
    'abcdefghijkmnpqrstuvwxyz23456789',
  ),
  journal(
    'the journal key is of no vault',
    "derive(vaultKey, NO_SALT, 'journal', vault)",
    "derive(vaultKey, NO_SALT, 'journal')",
  ),

  operations('a count may be negative', 'const count = integer(0, ', 'const count = integer(-1e15, '),
  operations('u31 may be 2^31', 'integer(0, 2 ** 31 - 1)', 'integer(0, 2 ** 31)'),
  operations('a time may be any integer', 'integer(-8.64e15, 8.64e15)', 'integer(-9e15, 9e15)'),
  operations('a number need be no integer', 'Number.isInteger(value) && ', ''),
  operations('a count may be 2^53', 'Number.MAX_SAFE_INTEGER)', '2 ** 53)'),
  operations('−0 stays −0', 'value + 0', 'value'),
  operations('ascii may have 256 characters', '{0,255}$/', '{0,256}$/'),
  operations('ascii may have control characters', '[\\u0020-\\u007e]', '[\\u0000-\\u007f]'),
  operations(
    'a digest may have trailing bits',
    "bytes.length === 32 && bytes.toString('base64') === hash",
    'bytes.length === 32',
  ),
  operations(
    'a digest may be of another length',
    "bytes.length === 32 && bytes.toString('base64') === hash",
    "bytes.toString('base64') === hash",
  ),
  operations('a digest may have 0 parts, or a leading zero', '/^[1-9]\\d{0,4}$/', '/^\\d{1,5}$/'),
  operations('a digest may have 100000 parts', '/^[1-9]\\d{0,4}$/', '/^[1-9]\\d*$/'),
  operations('a list may have 1001 items', 'value.length > 1000', 'value.length > 1001'),
  operations('a list may have 999 items', 'value.length > 1000', 'value.length > 999'),
  operations(
    'names are taken in NFC',
    '  const sizeBytes = Buffer.byteLength(value);',
    "  value = value.normalize('NFC');\n  const sizeBytes = Buffer.byteLength(value as string);",
  ),
  operations('a name may have 256 bytes', 'sizeBytes > 255', 'sizeBytes > 256'),
  operations('a name is measured in characters', 'Buffer.byteLength(value)', 'value.length'),
  operations('a name may be empty', 'sizeBytes < 1 || ', ''),
  operations('a name may have "/"', '/[/\\p{Cc}]/u', '/\\p{Cc}/u'),
  operations('a name may have control characters', '/[/\\p{Cc}]/u', '/[/\\u0000]/u'),
  operations(
    'a name may have control characters beyond ASCII',
    '/[/\\p{Cc}]/u',
    '/[/\\u0000-\\u001f\\u007f]/u',
  ),
  operations('a name may be ".."', "value === '.' || value === '..'", "value === '.'"),
  operations('a name may be "."', "value === '.' || value === '..'", "value === '..'"),
  operations(
    'an array may have more items than fields',
    'value.length !== entries.length',
    'value.length < entries.length',
  ),
  operations(
    'bytes may have any length',
    'value instanceof Uint8Array && value.length === sizeBytes',
    'value instanceof Uint8Array',
  ),
  operations(
    'the top folder may be named where an id must stand',
    'const id = text(isId);',
    "const id = text((value) => value === '' || isId(value));",
  ),
  operations(
    'optional fields must be there',
    'record(fewest)(rest) ?? record(most)(rest)',
    'record(most)(rest)',
  ),
  operations(
    'optional fields must not be there',
    'record(fewest)(rest) ?? record(most)(rest)',
    'record(fewest)(rest)',
  ),

  certificate('a certificate is not looked at', '  isSignedBy(\n', '  true || isSignedBy(\n'),
  certificate('a certificate is not over the X25519 key', ', of.agreementKey)', ')'),
  certificate(
    'a certificate is not over the account',
    "prefixed('halfkey/device/1', account, of.device, of.publicKey, of.agreementKey)",
    "prefixed('halfkey/device/1', of.device, of.publicKey, of.agreementKey)",
  ),

  fold('257 operations are read', 'const MAX_OPERATIONS = 256;', 'const MAX_OPERATIONS = 257;'),
  fold('what cannot be parsed is not counted', '      state.skipped += 1;\n      return;', '      return;'),
  fold(
    'a skipped operation ends its segment',
    '      state.skipped += 1;\n    }\n    rest = next[1];',
    '      state.skipped += 1;\n      return;\n    }\n    rest = next[1];',
  ),
  fold(
    'the identity key may write anything',
    'at.device === undefined ? OF_IDENTITY.includes(kind)',
    'at.device === undefined ? true',
  ),
  fold(
    'a genesis counts twice',
    'if (state.genesis !== undefined) return false; // Segment 0 begins with one.',
    '',
  ),
  fold('a device may write what the identity key alone may', ': !OF_IDENTITY_ALONE.includes(kind)', ': true'),
  fold(
    'a device may enrol',
    "const OF_IDENTITY_ALONE = ['genesis', 'device-enrol', ",
    "const OF_IDENTITY_ALONE = ['genesis', ",
  ),
  fold(
    'a device may revoke',
    "'device-enrol', 'device-revoke', 'keyring', 'epoch'];",
    "'device-enrol', 'keyring', 'epoch'];",
  ),
  fold(
    'a device may turn the vault key',
    "'device-revoke', 'keyring', 'epoch'];",
    "'device-revoke', 'keyring'];",
  ),
  fold(
    'the identity key may not publish an inbox key',
    "'device-revoke', 'inbox-key', 'keyring', 'snapshot', 'epoch'];",
    "'device-revoke', 'keyring', 'snapshot', 'epoch'];",
  ),
  fold(
    'the identity key may not name a snapshot',
    "'keyring', 'snapshot', 'epoch'];",
    "'keyring', 'epoch'];",
  ),
  fold(
    'doubted heartbeats do not count',
    "const OF_DOUBTED = ['heartbeat', 'inbox-key'];",
    "const OF_DOUBTED = ['inbox-key'];",
  ),
  fold(
    'doubted inbox keys do not count',
    "const OF_DOUBTED = ['heartbeat', 'inbox-key'];",
    "const OF_DOUBTED = ['heartbeat'];",
  ),
  fold(
    'everything doubted counts',
    'operation !== undefined && OF_DOUBTED.includes(operation.kind)',
    'operation !== undefined',
  ),
  fold(
    'a doubted segment is not counted',
    'at: Standing): void {\n  state.skipped += 1;\n  let rest',
    'at: Standing): void {\n  let rest',
  ),
  fold(
    'what is skipped of a doubted segment is counted',
    'OF_DOUBTED.includes(operation.kind)) apply(state, operation, at);',
    'OF_DOUBTED.includes(operation.kind) && !apply(state, operation, at)) state.skipped += 1;',
  ),
  fold('a since may be to come', 'device === undefined || since > at.seq', 'device === undefined'),
  fold(
    'a second revocation counts whenever',
    'if (device.revoked !== undefined && device.revoked.since <= since) return false;',
    '',
  ),
  fold(
    'a second revocation never counts',
    'device.revoked !== undefined && device.revoked.since <= since',
    'device.revoked !== undefined',
  ),
  fold(
    'a second revocation is the one that is told',
    'seq: device.revoked?.seq ?? at.seq, since',
    'seq: at.seq, since',
  ),
  fold(
    'a doubted snapshot stays',
    'if (state.snapshot !== undefined && state.snapshot.seq >= since) state.snapshot = undefined;',
    '',
  ),
  fold(
    'a doubted base stays',
    'if (state.base !== undefined && state.base.snapshot.seq >= since) state.base = undefined;',
    '',
  ),
  fold(
    'a snapshot of before since goes',
    'state.snapshot.seq >= since) state.snapshot',
    'state.snapshot.seq >= 0) state.snapshot',
  ),
  fold('every snapshot is a base', 'if (at.device === undefined) state.base =', 'state.base ='),
  fold(
    'an epoch may be any',
    'if (operation.epoch !== (state.epochs.at(-1)?.turn.epoch ?? 0) + 1) return false;',
    '',
  ),
  fold(
    'boxes may be for anybody',
    'if (boxed.toSorted().join() !== trusted.toSorted().join()) return false;',
    '',
  ),
  fold('boxes may be for revoked devices', '(revoked ? [] : [device])', '[device]'),
  fold('boxes are in the order of the devices', 'boxed.toSorted().join()', 'boxed.join()'),
  fold('certificates are not asked for', 'if (!isCertified(state.genesis, operation)) return false;', ''),
  fold(
    'a device may be enrolled again',
    'state.genesis === undefined || state.devices.has(operation.device)',
    'state.genesis === undefined',
  ),
  fold(
    'a revoked device comes back',
    'state.devices.has(operation.device)) return false;',
    'state.devices.get(operation.device)?.revoked === undefined && state.devices.has(operation.device)) return false;',
  ),
  fold(
    'an inbox key may have any epoch',
    'if (operation.inbox.epoch !== newestInboxEpoch(state) + 1) return false;',
    '',
  ),
  fold(
    'an inbox key may have a blob that is known',
    'if (isKnownBlob(state, operation.inbox.blob)) return false;',
    '',
  ),
  fold(
    'a keyring may be older',
    'if (operation.version <= (state.keyring?.version ?? -1)) return false;',
    '',
  ),
  fold(
    'a keyring may have the same version',
    'operation.version <= (state.keyring',
    'operation.version < (state.keyring',
  ),
  fold(
    'a snapshot may name its own segment',
    'operation.snapshot.seq >= at.seq',
    'operation.snapshot.seq > at.seq',
  ),
  fold(
    'a snapshot may be older than the last',
    'if (operation.snapshot.seq <= (state.snapshot?.seq ?? -1)) return false;',
    '',
  ),
  fold(
    'a snapshot may be named twice',
    'operation.snapshot.seq <= (state',
    'operation.snapshot.seq < (state',
  ),
  fold('a heartbeat may name a segment to come', ' || operation.seq >= at.seq', ''),
  fold(
    'a heartbeat’s hash is not looked at',
    'if (operation.seq === at.seq - 1 && !equal(operation.hash, at.prevHash)) return false;',
    '',
  ),
  fold(
    'a heartbeat may need an inbox key to come',
    'if ((operation.inboxEpoch ?? -1) > newestInboxEpoch(state)) return false;',
    '',
  ),
  fold(
    'the first heartbeat is kept',
    'state.heartbeats.set(at.device, operation);',
    'if (!state.heartbeats.has(at.device)) state.heartbeats.set(at.device, operation);',
  ),
  fold(
    'revoked devices keep inbox keys',
    '[...state.devices].filter(([, { revoked }]) => revoked === undefined)',
    '[...state.devices]',
  ),
  fold('a silent device needs no inbox key', '?.inboxEpoch ?? 0)', '?.inboxEpoch ?? 2 ** 31)'),
  fold(
    'inbox keys are retired whatever devices need',
    'Math.min(...needs, newestInboxEpoch(state))',
    'newestInboxEpoch(state)',
  ),
  fold('an inbox key may be retired again', 'epoch <= state.oldestInboxEpoch || ', ''),
  fold('retired keys’ blobs are not unpurged', 'state.unpurged.add(inbox.blob);', ''),
  fold('what was erased is so for ever', 'if (erasedAt < epoch) state.erased.delete(id);', ''),
  fold(
    'what is erased is forgotten with any key',
    'if (erasedAt < epoch) state.erased.delete(id);',
    'state.erased.delete(id);',
  ),
  fold('an erased blob is taken again', '  state.erased.has(blob) ||', ''),
  fold('a version’s blob is taken again', 'state.versions.some((version) => version.blob === blob) ||', ''),
  fold(
    'an inbox key’s blob is taken',
    ' ||\n  state.inboxKeys.some(({ inbox }) => inbox.blob === blob);',
    ';',
  ),
  fold('an id is taken twice', '    state.entries.has(id) ||\n', ''),
  fold('an erased id is taken again', '    state.erased.has(id) ||\n', ''),
  fold(
    'a file may be a folder',
    'entry !== undefined && entry.versions === undefined;',
    'entry !== undefined;',
  ),
  fold(
    'an unknown folder makes an operation skipped',
    "const folder = isFolder(state, wanted) ? wanted : '';",
    "const folder = isFolder(state, wanted) ? wanted : '';\n  if (folder !== wanted) return false;",
  ),
  fold('names of all folders count', 'other.folder === folder && ', ''),
  fold('marked entries keep their names', 'other.trashedAtMs === 0 && ', ''),
  fold('an entry’s own name is taken', ' && other.id !== id', ''),
  fold(
    'a version wants no file that is there',
    'entry?.versions === undefined || isKnownBlob',
    'entry?.versions === undefined || false && isKnownBlob',
  ),
  fold(
    'a version is restored that is erased',
    'if (state.gone.has(blob) || entry.versions.at(-1) === version) return false;',
    'if (entry.versions.at(-1) === version) return false;',
  ),
  fold(
    'the newest version is restored',
    'if (state.gone.has(blob) || entry.versions.at(-1) === version) return false;',
    'if (state.gone.has(blob)) return false;',
  ),
  fold(
    'a version that is restored keeps its place among all',
    'for (const list of [entry.versions, state.versions]) {',
    'for (const list of [entry.versions]) {',
  ),
  fold(
    'a version that is restored keeps its place among those of its file',
    'for (const list of [entry.versions, state.versions]) {',
    'for (const list of [state.versions]) {',
  ),
  fold(
    'a move may go into a file',
    "if (operation.folder !== '' && !isFolder(state, operation.folder)) return false;",
    '',
  ),
  fold('a move may go below itself', '!isBelow(state, operation.folder, entry.id) && ', ''),
  fold(
    'a trash of a marked entry counts',
    'if (entry.trashedAtMs !== 0) return false;\n      entry',
    'entry',
  ),
  fold('a mark of 0 is 0', 'operation.atMs === 0 ? 1 : operation.atMs', 'operation.atMs'),
  fold('a restore of another entry counts', 'if (entry.trashedAtMs === 0) return false;', ''),
  fold(
    'a restored entry stays in a folder in the trash',
    "isInTrash(state, entry.folder) ? '' : entry.folder",
    'entry.folder',
  ),
  fold(
    'only the folder itself is looked at for the trash',
    'at !== undefined; at = state.entries.get(at.folder)) {\n    if (at.trashedAtMs !== 0) return true;',
    'at !== undefined; at = undefined) {\n    if (at.trashedAtMs !== 0) return true;',
  ),
  fold(
    'a restored entry keeps its name',
    'const name = freeIn(state, folder, entry.name, entry.id);\n      if',
    'const name: string | undefined = entry.name;\n      if',
  ),
  fold(
    'a purged file is not erased',
    'for (const id of [file.id, ...blobs]) state.erased.set(id, newestInboxEpoch(state));',
    '',
  ),
  fold('blobs of a purged file are not erased', '[file.id, ...blobs]', '[file.id]'),
  fold('erased blobs come oldest first', '(file.versions ?? []).toReversed()', '(file.versions ?? [])'),
  fold(
    'a purged file is there for operations',
    'state.hidden.has(id) ? undefined : state.entries.get(id);',
    'state.entries.get(id);',
  ),
  fold('a purged file keeps its name', ' && !state.hidden.has(other.id)', ''),
  fold('a purged file goes at once', 'if (!blobs.every((blob) => state.gone.has(blob))) return;', ''),
  fold('a purged file goes with any of its blobs', 'blobs.every((blob)', 'blobs.some((blob)'),
  fold(
    'a file whose blobs are gone stays when it is purged',
    "        state.hidden.set(entry.id, at.device ?? '');\n        forgetIfErased(state, entry);",
    "        state.hidden.set(entry.id, at.device ?? '');",
  ),
  fold(
    'a hidden file stays when its blobs are gone',
    'if (state.hidden.has(owner.id)) forgetIfErased(state, owner);',
    '',
  ),
  fold('every file goes with its blobs', 'if (state.hidden.has(owner.id)) forgetIfErased', 'forgetIfErased'),
  fold('a blob goes twice', 'owner === undefined || state.gone.has(blob)', 'owner === undefined'),
  fold(
    'a hidden file in a purged folder takes a free name',
    "    if (state.hidden.has(child.id)) {\n      child.folder = '';\n      continue;\n    }\n",
    '',
  ),
  fold('an unpurged blob is never purged', 'if (state.unpurged.delete(blob)) return true;', ''),
  fold('tags are added', 'entry.tags = operation.tags;', 'entry.tags = [...entry.tags, ...operation.tags];'),
  fold(
    'a marked entry looks for a free name',
    'entry.trashedAtMs === 0 ? freeIn(state, folder, name, entry.id) : name;\n  if (free === undefined) return false;',
    'freeIn(state, folder, name, entry.id);\n  if (free === undefined) return false;',
  ),
  fold(
    'children of a purged folder go with it',
    'if (child.folder !== folder.id) continue;',
    'if (child.folder !== folder.id) continue;\n    state.entries.delete(child.id);',
  ),
  fold(
    'children of a purged folder stay where nothing is',
    'if (child.folder !== folder.id) continue;',
    'if (child.folder !== folder.id || true) continue;',
  ),
  fold(
    'children of a purged folder keep their names',
    "child.trashedAtMs === 0 ? freeIn(state, '', child.name, child.id) : child.name",
    'child.name',
  ),
  fold('children without a free name are not marked', 'if (free === undefined) child.trashedAtMs = 1;', ''),
  fold(
    '"purged" counts whatever it names',
    'noteErased(state, blob)).includes(true)',
    'noteErased(state, blob)).length >= 0',
  ),
  fold(
    '"purged" counts only if all that it names were there',
    'noteErased(state, blob)).includes(true)',
    'noteErased(state, blob)).every(Boolean)',
  ),

  freeName('a first dot begins an extension', 'dot > 0 && ', 'dot >= 0 && '),
  freeName('an extension may have 17 units', 'name.length - dot <= 16', 'name.length - dot <= 17'),
  freeName('an extension may have 15 units', 'name.length - dot <= 16', 'name.length - dot <= 15'),
  freeName(
    'an extension is measured in code points',
    'name.length - dot <= 16',
    'Array.from(name.slice(dot)).length <= 16',
  ),
  freeName('numbers begin at 1', 'String(index + 2)', 'String(index + 1)'),
  freeName('numbers end at 98', 'length: 98', 'length: 97'),
  freeName('no id stands behind the numbers', ', id];', '];'),
  freeName('a long name loses bytes', 'const points = Array.from(stem);', "const points = stem.split('');"),
  freeName('a long name is not shortened', '> 255) points.pop();', '> 300) points.pop();'),

  columns(
    'the magic is not looked at',
    "demand(equal(bytes.subarray(0, 8), utf8('HKS1\\0\\0\\0\\0')), CODE, 'another magic');",
    '',
    ENCODED,
  ),
  snapshot('a page’s hash is not looked at', ' && equal(sha256(sealed), hash)', ''),
  snapshot('a page’s size is not looked at', 'sealed.length === sizeBytes && ', ''),
  snapshot(
    'the state’s hash is not looked at',
    "demand(equal(sha256(encoded), snapshot.stateHash), CODE, 'another state');",
    '',
  ),
  snapshot(
    'a page’s id is not in its AAD',
    "aad('snapshot', known.vault, page, epoch)",
    "aad('snapshot', known.vault, snapshot.pages[0]?.page ?? page, epoch)",
  ),
  snapshot('the seq is not looked at', "demand(rest[0] === snapshot.seq, CODE, 'another seq');", '', ENCODED),
  snapshot(
    'the hash is not looked at',
    "demand(rest[1] instanceof Uint8Array && equal(rest[1], snapshot.hash), CODE, 'another hash');",
    '',
    ENCODED,
  ),
  snapshot(
    'another encoding is taken',
    "demand(equal(encodeState(state, snapshot), encoded), CODE, 'a state that is encoded in another way');",
    '',
  ),
  snapshot('a tree is not asked for', '  demandTree(state);\n', ''),
  snapshot(
    'a folder may be a file',
    'folder?.versions === undefined && folder !== undefined',
    'folder !== undefined',
  ),
  snapshot('names and blobs may be there twice', '  demandUnique(state);\n', ''),
  snapshot(
    'a name may be twice in a folder',
    "demand(!names.has(`${folder}/${taken}`), CODE, 'a name twice in a folder');",
    '',
  ),
  snapshot(
    'a blob may be of two versions',
    "demand(blobs.size === state.versions.length, CODE, 'a blob of two versions');",
    '',
    ENCODED,
  ),
  snapshot(
    'a version’s blob may be unpurged',
    "demand(!others.some((blob) => blobs.has(blob)), CODE, 'a blob of a version that is not its alone');",
    '',
  ),
  snapshot('a name may be none', ' && name(entryName) === entryName', ''),
  snapshot('an id may be none', 'isId(id) && name', 'name', ENCODED),
  snapshot('a version may be of no file', ' && used.size === state.versions.length', ''),
  snapshot(
    'an older version may come later',
    "demand((before[at] ?? at) < at, CODE, 'a version that comes before an older one');",
    '',
  ),
  snapshot('a trashed at may be anything', "demand(isTime(trashedAt[index]), CODE, 'no time');", ''),
  snapshot('a trashed at may be −0', ' && !Object.is(value, -0)', ''),
  snapshot(
    'the vault of the genesis is not looked at',
    'genesis?.vault === known.vault &&',
    'genesis !== undefined &&',
  ),
  snapshot(
    'the account of the genesis is not looked at',
    '      genesis.account === known.account &&\n',
    '',
    CERTIFIED,
  ),
  snapshot(
    'the identity key of the genesis is not looked at',
    'genesis.account === known.account &&\n      equal(genesis.identityPublicKey, known.identityPublicKey),',
    'genesis.account === known.account,',
    CERTIFIED,
  ),
  snapshot('certificates are not looked at', ' && isCertified(genesis, enrolment)', ''),
  snapshot(
    'skipped operations may be no count',
    "demand(isCount(rest[3]), CODE, 'no count of what was skipped');",
    '',
  ),
  snapshot(
    'an unpurged blob may be none',
    " && isId(blob), CODE, 'a blob that is no id'",
    ", CODE, 'a blob that is no id'",
  ),
  snapshot(
    'inbox keys need not follow one another',
    "demand(inbox.epoch === genesis.inbox.epoch + index, CODE, 'inbox keys that do not follow one another');",
    '',
  ),
  snapshot('an erased id may be taken', 'isId(id) && !state.entries.has(id) && !blobs.has(id)', 'isId(id)'),
  snapshot('an erased blob may be taken', ' && !blobs.has(id)', ''),
  snapshot('erased epochs need not ascend', 'epoch >= before && ', ''),
  snapshot(
    'an erased epoch may be to come',
    "demand(before <= (state.inboxKeys.at(-1)?.inbox.epoch ?? 0), CODE, 'an epoch to come');",
    '',
  ),
  snapshot(
    'tags may be no names',
    "demand(operation?.kind === 'tag', CODE, 'malformed tags');",
    "if (operation?.kind !== 'tag') { Object.assign(entry ?? {}, { tags: names }); continue; }",
  ),
  snapshot(
    'a device’s seq may be negative',
    "demand(isCount(enrolledSeq), CODE, 'no seq');",
    "if (typeof enrolledSeq !== 'number') throw new TypeError();",
  ),

  stateBytes(
    'media types are in another order',
    '[...new Set(versions.map(({ mediaType }) => mediaType))]',
    '[...new Set(versions.map(({ mediaType }) => mediaType))].toReversed()',
  ),
  stateBytes(
    'the since of a revocation is not written',
    '...(revoked === undefined ? [] : [revoked.seq, revoked.since]),',
    '...(revoked === undefined ? [] : [revoked.seq]),',
  ),
  stateBytes(
    'the genesis’ inbox key is written twice',
    'const [, ...laterInboxKeys] = state.inboxKeys;',
    'const laterInboxKeys = state.inboxKeys;',
  ),
];
