import type { Membership } from '$contract/accounts.ts';
import { grantBuy, signinCode, signinFinish, signinStart } from '$contract/accounts.ts';
import type { EnvelopeRecord } from '$contract/envelope.ts';
import { DeviceId, type BlobId, type GrantId, type VaultId } from '$contract/ids.ts';
import { blobPutUrls } from '$contract/vault-blobs.ts';
import { envelopesWrite, keysGenerate } from '$contract/vault-keys.ts';
import * as v from 'valibot';
import { openKeyring, type OpenKeyring } from '../../../src/lib/account/keyring.ts';
import { startLogin } from '../../../src/lib/account/opaque.ts';
import { concat, fromB64Url, toB64, toB64Url, type Bytes } from '../../../src/lib/bytes.ts';
import { sealAad } from '../../../src/lib/crypto/aad.ts';
import { sha256 } from '../../../src/lib/crypto/digest.ts';
import { sealEnvelope } from '../../../src/lib/crypto/envelope.ts';
import { seal } from '../../../src/lib/crypto/floe.ts';
import { paddedSize } from '../../../src/lib/crypto/padding.ts';
import { randomBytes, randomId } from '../../../src/lib/crypto/random.ts';
import { generateDeviceKeyPair, type SigningKeyPair } from '../../../src/lib/crypto/signing.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import { InboxUse } from '../../../src/lib/inbox/inbox-use.ts';
import type { OwnInboxKeys } from '../../../src/lib/inbox/own-keys.ts';
import { Journal } from '../../../src/lib/journal/journal.ts';
import type { Version } from '../../../src/lib/journal/entries/operations.ts';
import type { JournalHead } from '../../../src/lib/journal/entries/segment.ts';
import { connectBroker, type Broker } from '../../../src/lib/remote/broker.ts';
import { put } from '../../../src/lib/remote/s3.ts';
import type { StreamSupply } from '../../../src/lib/transfer/download/download-stream.ts';
import { Downloads } from '../../../src/lib/transfer/download/downloads.ts';
import { toRecord } from '../../../src/lib/vault/envelope-record.ts';
import { joinJournal, membershipOf } from '../../../src/lib/session/entry/joining.ts';
import { journalRemote } from '../../../src/lib/drive/journal-remote.ts';
import { toJournalHead } from '../../../src/lib/vault/journal-head.ts';
import type { TransferReport } from '../../../src/lib/protocol/transfer.ts';
import { SignUp } from '../../../src/lib/session/entry/sign-up.ts';
import type { OpenVault } from '../../../src/lib/vault/open-vault.ts';
import { MemoryCache } from '../../journal/memory-remote.ts';
import { memoryOwnKeys } from '../../support/own-inbox-keys.ts';
import { otpauthCode } from './otpauth-code.ts';
import type { NodeBrowser } from './node-browser.ts';
import type { HostileWorld } from './world.ts';

const ANY_TYPE = 'application/octet-stream';
/** A code buys a thousand. */
const RELEASES_PER_GRANT = 900;

/** A blob that is in S3 whole, with what its owner knows of it. */
export interface Sent {
  readonly vault: VaultId;
  readonly blob: BlobId;
  readonly epoch: number;
  readonly vaultKey: Bytes;
  readonly contentKey: Bytes;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly sealedBytes: number;
}

/** What a person carries from device to device. */
export interface Credentials {
  readonly userName: string;
  readonly passphrase: string;
  readonly totpSecret: string;
  readonly recoveryWords: string;
}

/** Keys of a signed-in device, its session and its vault: the client's own modules, put together as its worker does. */
export class Client {
  readonly world: HostileWorld;
  readonly browser: NodeBrowser;
  readonly broker: Broker;
  readonly credentials: Credentials;
  readonly keyring: OpenKeyring;
  readonly device: SigningKeyPair & { readonly id: string; readonly agreementKey: Bytes };
  readonly vault: VaultId;
  /** The device's own copy of the journal. */
  readonly cache = new MemoryCache();
  journal!: Journal;
  grant: GrantId | undefined;
  /** For ten minutes after signing in. */
  proof: string | undefined;
  /** Which inbox keys it has made. */
  readonly #own: OwnInboxKeys;
  readonly #envelopes = new Map<BlobId, { readonly envelope: EnvelopeRecord; readonly proof: string }>();
  #releases = 0;
  #report: TransferReport | undefined;

  private constructor(parts: {
    world: HostileWorld;
    browser: NodeBrowser;
    credentials: Credentials;
    keyring: OpenKeyring;
    device: SigningKeyPair & { readonly id: string; readonly agreementKey: Bytes };
    grant: GrantId | undefined;
    proof: string | undefined;
  }) {
    ({
      world: this.world,
      browser: this.browser,
      credentials: this.credentials,
      keyring: this.keyring,
      device: this.device,
      grant: this.grant,
      proof: this.proof,
    } = parts);
    this.broker = connectBroker(parts.browser.origin, parts.browser.prover);
    this.vault = parts.keyring.vaultKey.vault as VaultId;
    this.#own = memoryOwnKeys({ vault: this.vault, device: this.device.id });
  }

  /** Makes an account, as a new device does, up to the empty drive. */
  static async signUp(world: HostileWorld, userName: string, browser = world.newBrowser()): Promise<Client> {
    const passphrase = `${userName} rows six copper boats past midnight`;
    const signUp = new SignUp(connectBroker(browser.origin, browser.prover), Date.now);
    const { totpSecret } = await signUp.start({ userName, passphrase });
    let entered: Parameters<Parameters<SignUp['verify']>[1]>[0] | undefined;
    const code = await otpauthCode(totpSecret, world.clock);
    const { recoveryWords } = await signUp.verify(code, (entry) => {
      entered = entry;
      return Promise.resolve();
    });
    if (!entered) throw new Error('expected to be signed in');
    const { keyring, device, signedIn } = entered;
    const credentials = { userName, passphrase, totpSecret, recoveryWords: recoveryWords.join(' ') };
    const grant = signedIn.grant?.id;
    const { proof } = signedIn;
    const client = new Client({ world, browser, credentials, keyring, device, grant, proof });
    await client.openJournal();
    return client;
  }

  /** The same person at a new device: passphrase, code, keyring, journal, enrolment. */
  static async signIn(
    { world, credentials }: Pick<Client, 'world' | 'credentials'>,
    browser = world.newBrowser(),
  ): Promise<Client> {
    const { userName, passphrase, totpSecret } = credentials;
    const broker = connectBroker(browser.origin, browser.prover);
    const login = await startLogin(passphrase);
    const { startLoginRequest } = login;
    const { loginResponse } = await broker.call(signinStart, { userName, startLoginRequest });
    const { exportKey, finishLoginRequest, serverPublicKey } = login.finish(loginResponse);
    const { account } = await broker.call(signinFinish, { finishLoginRequest });
    const device = { ...(await generateDeviceKeyPair()), id: randomId(), agreementKey: randomBytes(32) };
    const signedIn = await broker.call(signinCode, {
      factor: { code: await otpauthCode(totpSecret, world.clock) },
      device: { id: v.parse(DeviceId, device.id), publicKey: toB64Url(device.publicKey) },
    });
    const keyring = await openKeyring(fromB64Url(signedIn.keyring.bytes), account, { exportKey });
    if (keyring.serverPublicKey !== serverPublicKey)
      throw new HalfkeyError('server_unknown', 'another server');
    const grant = signedIn.grant.id;
    const { proof } = signedIn;
    const client = new Client({ world, browser, credentials, keyring, device, grant, proof });
    const told: Membership = membershipOf(signedIn.vaults, client.vault);
    await client.openJournal(toJournalHead(told.head));
    await joinJournal(client.journal, { keyring, device, proof }, 'Another device');
    return client;
  }

  /** Reads the journal anew, from the device's copy where there is one: what a start of the app does. */
  async openJournal(expectedHead?: JournalHead): Promise<Journal> {
    const { account, identity, vaultKey } = this.keyring;
    this.journal = await Journal.open({
      identity: {
        vault: this.vault,
        account,
        vaultKeys: [{ epoch: vaultKey.epoch, vaultKey: vaultKey.key }],
        identityPublicKey: identity.publicKey,
        device: this.device,
      },
      remote: journalRemote(this.broker, this.vault, () => this.grant),
      cache: this.cache,
      nowMs: Date.now,
      pauseMs: () => Promise.resolve(),
      ...(expectedHead && { expectedHead }),
    });
    return this.journal;
  }

  get openVault(): OpenVault {
    const { vault, broker, journal, keyring, device, grant } = this;
    return {
      vault,
      broker,
      journal,
      inboxUse: new InboxUse(journal, () => Promise.resolve([]), this.#own),
      device,
      epoch: keyring.vaultKey.epoch,
      vaultKey: keyring.vaultKey.key,
      requireGrant: () => {
        if (!grant) throw new HalfkeyError('locked', 'no grant is live');
        return grant;
      },
      takeReleased: () => undefined,
      releasesPerCode: () => 100,
    };
  }

  /** Seals and sends a file that fits into one part: what is in S3 afterwards, and in no journal yet. */
  async send(content: Bytes): Promise<Sent> {
    const blob = randomId() as BlobId;
    const contentKey = randomBytes(32);
    const padded = new Uint8Array(paddedSize(content.length));
    padded.set(content);
    const { epoch, key } = this.keyring.vaultKey;
    const sealed = await seal(contentKey, sealAad('content', this.vault, blob, epoch), padded);
    const digest = toB64(await sha256(sealed));
    const request = { blob, sizeBytes: sealed.length, sha256: digest };
    const { urls } = await this.broker.call(blobPutUrls, { blobs: [request] }, { vault: this.vault });
    const url = urls[0]?.url ?? '';
    const signal = new AbortController().signal;
    await put({ url, body: new Blob([sealed]), sha256B64: digest, createOnly: true, signal });
    const keys = { vault: this.vault, epoch, vaultKey: key };
    return { ...keys, blob, contentKey, digest, sizeBytes: content.length, sealedBytes: sealed.length };
  }

  /**
   * Gives a blob its KMS half and its envelope: after this an entry may name it. A second try is of the same envelope.
   */
  async wrap({ blob, contentKey, vault, epoch, vaultKey }: Sent): Promise<void> {
    let made = this.#envelopes.get(blob);
    if (!made) {
      const request = { grant: this.openVault.requireGrant(), purpose: 'file', epoch } as const;
      const { keys } = await this.broker.call(keysGenerate, { ...request, blobs: [blob] }, { vault });
      const [key] = keys;
      if (!key) throw new Error('expected one key');
      const halves = { kmsHalf: fromB64Url(key.kmsHalf), kmsBlob: fromB64Url(key.kmsBlob), vaultKey };
      const envelope = await sealEnvelope({ purpose: 'file', vault, blob, epoch, contentKey, ...halves });
      made = { envelope: toRecord(envelope), proof: key.proof };
      this.#envelopes.set(blob, made);
    }
    const envelopes = [{ blob, ...made }];
    const { refused } = await this.broker.call(envelopesWrite, { envelopes }, { vault });
    if (refused[0]) throw new HalfkeyError(refused[0].code, 'the broker takes no envelope');
  }

  /** What the journal pins of it. */
  versionOf({ blob, epoch, digest, sizeBytes, sealedBytes }: Sent, mediaType = ANY_TYPE): Version {
    const partBytes = 8 * 1024 * 1024;
    const nowMs = Date.now();
    return {
      blob,
      epoch,
      digest,
      sizeBytes,
      sealedBytes,
      partBytes,
      mediaType,
      modifiedAtMs: 0,
      addedAtMs: nowMs,
    };
  }

  /** Uploads a file up to its entry in the journal: content, envelope, entry, in that order. */
  async upload(name: string, content: Bytes, mediaType = ANY_TYPE): Promise<{ file: string; sent: Sent }> {
    const sent = await this.send(content);
    await this.wrap(sent);
    const file = randomId();
    const version = this.versionOf(sent, mediaType);
    await this.journal.append(() => [{ kind: 'file-add', file, folder: '', name, version }]);
    return { file, sent };
  }

  /** A newer version of a file, up to its entry in the journal. */
  async addVersion(file: string, content: Bytes): Promise<Sent> {
    const sent = await this.send(content);
    await this.wrap(sent);
    const version = this.versionOf(sent);
    await this.journal.append(() => [{ kind: 'version-add', file, version }]);
    return sent;
  }

  /** Another code, another grant. */
  async unlock(): Promise<void> {
    const code = await otpauthCode(this.credentials.totpSecret, this.world.clock);
    const { id } = await this.broker.call(grantBuy, { factor: { code } });
    this.grant = id;
    this.#releases = 0;
  }

  get downloads(): Downloads {
    return new Downloads(
      () => this.openVault,
      { report: (next) => (this.#report = next), gone: () => undefined },
      Date.now,
      () => undefined,
    );
  }

  /**
   * Downloads as the service worker does: pulls until the end, or until it is told that the download failed.
   * @returns what was given out until then; `error` with the transfer's code, undefined for one that ended well
   */
  async download(
    file: string,
    form: 'plain' | 'sealed' = 'plain',
  ): Promise<{ bytes: Bytes; error?: string }> {
    if (form === 'plain' && ++this.#releases > RELEASES_PER_GRANT) await this.unlock();
    const { port } = await this.downloads.stream(file, form);
    const chunks: Bytes[] = [];
    const end = await new Promise<'end' | 'failed'>((resolve) => {
      port.onmessage = ({ data }: MessageEvent<StreamSupply>) => {
        if (data.kind !== 'chunk') {
          resolve(data.kind);
          return;
        }
        chunks.push(data.bytes);
        port.postMessage({ kind: 'pull' });
      };
      port.postMessage({ kind: 'pull' });
    });
    port.close();
    const bytes = concat(...chunks);
    return end === 'end' ? { bytes } : { bytes, error: this.#report?.error?.code ?? 'failed without a code' };
  }

  /** The same as a promise, for rows: rejects with the code that the transfer ended with. */
  async read(file: string): Promise<Bytes> {
    const { bytes, error } = await this.download(file);
    if (error !== undefined) throw new HalfkeyError(error as never, `after ${String(bytes.length)} bytes`);
    return bytes;
  }
}
