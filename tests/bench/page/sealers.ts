import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  RawAesKeyringWebCrypto,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-browser';
import { Decrypter, Encrypter } from 'age-encryption';
import sodium from 'libsodium-wrappers';
import * as openpgp from 'openpgp';
import { concat, release, utf8, type Bytes } from '../../../src/lib/bytes.ts';
import {
  createSealer,
  HEADER_BYTES,
  open,
  SEGMENT_BYTES,
  SEGMENT_PLAINTEXT_BYTES,
  sealedSize,
  segmentCount,
} from '../../../src/lib/crypto/floe.ts';

/** As large as Halfkey's: the fastest in Chromium. */
const SEGMENT = 512 * 1024;

/** One way of sealing bytes in memory. */
export interface Contestant {
  readonly name: string;
  readonly seal: (plaintext: Bytes) => Promise<Uint8Array | Uint8Array[]>;
  /** What is timed instead, where the output is not kept. */
  readonly race?: (plaintext: Bytes) => Promise<unknown>;
  readonly open: (sealed: Uint8Array | Uint8Array[]) => Promise<Uint8Array>;
}

/** Halfkey first, then the platform's own, then what one would take otherwise. */
export async function sealers(sizeBytes: number): Promise<Contestant[]> {
  return [
    halfkey(sizeBytes),
    await bareAesGcm('bare AES-256-GCM', false),
    await bareAesGcm('the same, memory released by hand', true),
    await secretstream(),
    await awsEncryptionSdk('AWS Encryption SDK'),
    await awsEncryptionSdk('AWS Encryption SDK, 512 KiB frames', SEGMENT),
    openPgp(),
    age(),
  ];
}

/**
 * @param released whether each output's memory is given back at once, as Halfkey does; else it is left to the collector
 */
async function bareAesGcm(name: string, released: boolean): Promise<Contestant> {
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
    'encrypt',
    'decrypt',
  ]);
  const nonces = Array.from({ length: 1024 }, () => crypto.getRandomValues(new Uint8Array(12)));
  const nonceOf = (index: number) => nonces[index % nonces.length] ?? new Uint8Array(12);
  const sealAll = async (plaintext: Bytes, take: (sealed: Bytes) => void) => {
    for (let offset = 0; offset < plaintext.length; offset += SEGMENT) {
      const algorithm = { name: 'AES-GCM', iv: nonceOf(offset / SEGMENT) };
      const piece = plaintext.subarray(offset, offset + SEGMENT);
      take(new Uint8Array(await crypto.subtle.encrypt(algorithm, key, piece)));
    }
  };
  return {
    name,
    async seal(plaintext) {
      const sealed: Bytes[] = [];
      await sealAll(plaintext, (segment) => sealed.push(segment));
      return sealed;
    },
    race: (plaintext) => sealAll(plaintext, released ? release : () => undefined),
    async open(sealed) {
      const opened = (sealed as Bytes[]).map((segment, index) =>
        crypto.subtle.decrypt({ name: 'AES-GCM', iv: nonceOf(index) }, key, segment),
      );
      return concat(...(await Promise.all(opened)).map((bytes) => new Uint8Array(bytes)));
    },
  };
}

/** As transfers seal: into a buffer that is used again and again. */
function halfkey(sizeBytes: number): Contestant {
  const [key, aad] = [crypto.getRandomValues(new Uint8Array(32)), utf8('bench')];
  const sealed = new Uint8Array(sealedSize(sizeBytes));
  const count = segmentCount(sizeBytes);
  return {
    name: 'Halfkey (FLOE)',
    async seal(plaintext) {
      const sealer = await createSealer(key, aad);
      sealed.set(sealer.header);
      for (let index = 0; index < count; index++) {
        const piece = plaintext.subarray(
          index * SEGMENT_PLAINTEXT_BYTES,
          (index + 1) * SEGMENT_PLAINTEXT_BYTES,
        );
        const offset = HEADER_BYTES + index * SEGMENT_BYTES;
        const target = sealed.subarray(offset, offset + SEGMENT_BYTES);
        await sealer.sealSegmentInto(index, piece, index === count - 1, target);
      }
      return sealed;
    },
    open: (bytes) => open(key, aad, bytes as Bytes),
  };
}

async function secretstream(): Promise<Contestant> {
  await sodium.ready;
  const key = sodium.crypto_secretstream_xchacha20poly1305_keygen();
  const {
    crypto_secretstream_xchacha20poly1305_TAG_FINAL: final,
    crypto_secretstream_xchacha20poly1305_TAG_MESSAGE: message,
  } = sodium;
  return {
    name: 'libsodium secretstream',
    seal(plaintext) {
      const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key);
      const sealed = [header];
      for (let offset = 0; offset < plaintext.length; offset += SEGMENT) {
        const tag = offset + SEGMENT >= plaintext.length ? final : message;
        sealed.push(
          sodium.crypto_secretstream_xchacha20poly1305_push(
            state,
            plaintext.subarray(offset, offset + SEGMENT),
            null,
            tag,
          ),
        );
      }
      return Promise.resolve(sealed);
    },
    open(sealed) {
      const [header, ...segments] = sealed as Uint8Array[];
      const state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(header ?? new Uint8Array(), key);
      return Promise.resolve(
        concat(
          ...segments.map((segment) => {
            const pulled = sodium.crypto_secretstream_xchacha20poly1305_pull(state, segment, null);
            return pulled ? pulled.message : new Uint8Array();
          }),
        ),
      );
    },
  };
}

/** @param frameLength the SDK's own, 4 KiB, when absent */
async function awsEncryptionSdk(name: string, frameLength?: number): Promise<Contestant> {
  const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const wrappingSuite = RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING;
  const masterKey = await RawAesKeyringWebCrypto.importCryptoKey(
    crypto.getRandomValues(new Uint8Array(32)),
    wrappingSuite,
  );
  const keyring = new RawAesKeyringWebCrypto({
    keyName: 'bench',
    keyNamespace: 'halfkey',
    masterKey,
    wrappingSuite,
  });
  const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;
  return {
    name,
    seal: async (plaintext) =>
      (await encrypt(keyring, plaintext, { suiteId, ...(frameLength !== undefined && { frameLength }) }))
        .result,
    open: async (sealed) => (await decrypt(keyring, sealed as Uint8Array)).plaintext,
  };
}

function openPgp(): Contestant {
  const passwords = ['bench'];
  const config = {
    aeadProtect: true,
    preferredAEADAlgorithm: openpgp.enums.aead.gcm,
  };
  return {
    name: 'OpenPGP.js',
    async seal(plaintext) {
      const message = await openpgp.createMessage({ binary: plaintext });
      return (await openpgp.encrypt({ message, passwords, format: 'binary', config })) as Uint8Array;
    },
    async open(sealed) {
      const message = await openpgp.readMessage({ binaryMessage: sealed as Uint8Array });
      const opened = (await openpgp.decrypt({ message, passwords, format: 'binary', config })) as {
        data: Uint8Array;
      };
      return opened.data;
    },
  };
}

function age(): Contestant {
  const encrypter = new Encrypter();
  encrypter.setScryptWorkFactor(1);
  encrypter.setPassphrase('bench');
  const decrypter = new Decrypter();
  decrypter.addPassphrase('bench');
  return {
    name: 'age (typage)',
    seal: (plaintext) => encrypter.encrypt(plaintext),
    open: (sealed) => decrypter.decrypt(sealed as Uint8Array),
  };
}
