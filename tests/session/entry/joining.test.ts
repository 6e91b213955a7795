import { beforeEach, describe, expect, test } from 'vitest';
import { createKeyring, rewrapKeyring, type OpenKeyring } from '../../../src/lib/account/keyring.ts';
import { HalfkeyError } from '../../../src/lib/errors.ts';
import type { Bytes } from '../../../src/lib/bytes.ts';
import { sha256 } from '../../../src/lib/crypto/digest.ts';
import { randomBytes, randomId } from '../../../src/lib/crypto/random.ts';
import { certifyDevice } from '../../../src/lib/journal/entries/certificate.ts';
import { createGenesis } from '../../../src/lib/journal/entries/genesis.ts';
import { Journal } from '../../../src/lib/journal/journal.ts';
import type { JournalRemote } from '../../../src/lib/journal/ports.ts';
import type { DeviceRecord } from '../../../src/lib/store/database.ts';
import { createDevice } from '../../../src/lib/store/device-record.ts';
import { joinJournal, membershipOf } from '../../../src/lib/session/entry/joining.ts';
import { refusalCode } from '../../crypto/refusal.ts';

const VAULT = 'eu-central-1:1b7b2ae5-3f4d-4b6e-9a67-0c8d5d7e9f10';
const ACCOUNT = 'q0dDsGUj3VPvKXqZQVZ3Ag';
const NOW = 1_800_000_000_000;

/** A log in memory, as broker and S3 keep it. */
class MemoryLog implements JournalRemote {
  readonly segments: Bytes[] = [];

  async #head() {
    const seq = this.segments.length - 1;
    return { seq, hash: await sha256(this.segments[seq]!) };
  }

  async read(fromSeq: number) {
    return { head: await this.#head(), segments: this.segments.slice(fromSeq) };
  }

  async append(segment: Bytes) {
    const seq = Number(new DataView(segment.buffer, segment.byteOffset).getBigUint64(8));
    if (seq !== this.segments.length) throw new HalfkeyError('head_changed', 'another writer was first');
    this.segments.push(segment);
    return this.#head();
  }

  putPages(): Promise<void> {
    return Promise.reject(new TypeError('no snapshot is due so early'));
  }

  getPage(): Promise<Bytes> {
    return Promise.reject(new TypeError('there is no snapshot'));
  }
}

let log: MemoryLog;
let first: DeviceRecord;
let keyring: OpenKeyring;
let recoveryEntropy: Bytes;

beforeEach(async () => {
  log = new MemoryLog();
  first = await createDevice();
  recoveryEntropy = randomBytes(32);
  keyring = await createKeyring({
    account: ACCOUNT,
    vault: VAULT,
    userName: 'ada',
    serverPublicKey: 'AAEC',
    exportKey: randomBytes(64),
    recoveryEntropy,
  });
  const { identity, vaultKey, version, hash } = keyring;
  const { publicKey, agreementKey } = first;
  const certified = { device: first.id, publicKey, agreementKey };
  const certificate = await certifyDevice(identity.privateKey, ACCOUNT, certified);
  const genesis = await createGenesis({
    vault: VAULT,
    account: ACCOUNT,
    vaultKey: vaultKey.key,
    identityKey: identity.privateKey,
    identityPublicKey: identity.publicKey,
    inbox: { blob: randomId(), publicKey: randomBytes(32), epoch: 0 },
    device: { id: first.id, publicKey, agreementKey, name: 'first', certificate },
    keyring: { version, hash },
    nowMs: NOW,
  });
  log.segments.push(genesis);
});

function openAt(device: DeviceRecord): Promise<Journal> {
  return Journal.open({
    identity: {
      vault: VAULT,
      account: ACCOUNT,
      vaultKeys: [{ epoch: 0, vaultKey: keyring.vaultKey.key }],
      identityPublicKey: keyring.identity.publicKey,
      device,
    },
    remote: log,
    cache: { load: () => Promise.resolve(undefined), save: () => Promise.resolve() },
    nowMs: () => NOW,
  });
}

describe('joining a journal', () => {
  test('writes nothing for the device and keyring of the genesis', async () => {
    await joinJournal(await openAt(first), { keyring, device: first }, 'first');
    expect(log.segments).toHaveLength(1);
  });

  test('enrols a new device once, in one segment, and then it may write', async () => {
    const device = await createDevice();
    const journal = await openAt(device);
    await joinJournal(journal, { keyring, device }, 'second');
    await joinJournal(journal, { keyring, device }, 'second');
    expect(log.segments).toHaveLength(2);
    const seen = await openAt(first);
    expect(seen.state.trustedDevice(device.id)).toMatchObject({
      name: 'second',
      publicKey: device.publicKey,
    });
    await journal.heartbeat();
    expect(log.segments).toHaveLength(3);
  });

  test('pins a newer keyring, and refuses the older one from then on', async () => {
    const exportKey = randomBytes(64);
    const next = await rewrapKeyring(keyring.bytes, ACCOUNT, { recoveryEntropy }, { exportKey });
    const device = await createDevice();
    await joinJournal(await openAt(device), { keyring: next, device }, 'second');
    const journal = await openAt(first);
    expect(journal.state.keyring).toEqual({ version: 2, hash: next.hash });
    const rolledBack = joinJournal(journal, { keyring, device: first }, 'first');
    expect(await refusalCode(rolledBack)).toBe('rollback');
    await joinJournal(journal, { keyring: next, device: first }, 'first');
    expect(log.segments).toHaveLength(2);
  });

  test('refuses another keyring of the pinned version', async () => {
    const other = { ...keyring, hash: randomBytes(32) };
    const joining = joinJournal(await openAt(first), { keyring: other, device: first }, 'first');
    expect(await refusalCode(joining)).toBe('keyring_corrupt');
  });

  test('refuses a device that was revoked, and an id that is somebody else’s', async () => {
    const device = await createDevice();
    const journal = await openAt(device);
    await joinJournal(journal, { keyring, device }, 'second');
    const impostor = { ...(await createDevice()), id: device.id };
    expect(await refusalCode(joinJournal(journal, { keyring, device: impostor }, 'x'))).toBe(
      'device_untrusted',
    );
    const { privateKey } = keyring.identity;
    await (await openAt(first)).revoke(privateKey, { device: device.id });
    expect(await refusalCode(joinJournal(journal, { keyring, device }, 'second'))).toBe('device_untrusted');
  });
});
test('an account without its vault is refused', () => {
  const head = { seq: 0, hash: 'A'.repeat(43) };
  const other = { vault: 'us-east-1:00000000-0000-4000-8000-000000000000', role: 'owner', head } as const;
  for (const vaults of [[], [other]]) {
    expect(() => membershipOf(vaults as never, VAULT)).toThrow('knows of no vault');
  }
});
