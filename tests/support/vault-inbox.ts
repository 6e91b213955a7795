import { randomBytes } from 'node:crypto';
import { ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import * as v from 'valibot';
import type { BlobId, VaultId } from '$contract/ids.ts';
import { inboxList, inboxRead, inboxWrite } from '$contract/vault-inbox.ts';
import { LIMITS, OBJECT_DISPOSITION, OBJECT_TYPE } from '$contract/limits.ts';
import type { Session } from '../../broker/domain/account/session.ts';
import type { CloudPorts } from '../../broker/aws/broker-clients.ts';
import { setUp } from './fixture.ts';
import { sha256B64 } from './memory-vault-cloud.ts';
import { answer, ask, serveVaults } from './vault-broker.ts';
import { startVaultCloud, type VaultCloud } from './vault-cloud.ts';
import { recordOf } from './inbox-records.ts';
import { deviceOf, newBlobId, newSession, openVault, startVaultSide } from './vault-side.ts';

type InboxPage = v.InferOutput<typeof inboxList.answer>;
type FoundRecords = v.InferOutput<typeof inboxRead.answer>['records'];

/** A record as a client might write it, signed by the session's device. */
export const newRecord = (session: Session, vault: VaultId, blob: BlobId): string =>
  recordOf(deviceOf(session), vault, blob).toString('base64url');

/** The problem of a request that is expected to fail. */
export async function problemOf(response: Response): Promise<unknown> {
  if (response.ok) throw new Error(`expected a problem, got ${String(response.status)}`);
  return response.json();
}

/** How the broker reaches the cloud. */
type Connect = (world: VaultCloud) => CloudPorts | Promise<CloudPorts>;

/**
 * A broker on a local cloud, and Alice and Bob with a vault each, for the test file that calls this.
 * @param connect directly when absent
 */
export function setUpInboxSetting(connect: Connect = (world) => world.connect()): InboxSetting {
  return setUp(
    () => startInboxSetting(connect),
    (setting) => setting.close(),
  );
}

async function startInboxSetting(connect: Connect) {
  const world = await startVaultCloud();
  const ports = await connect(world);
  const sides = { ...ports, objects: ports.vaultObjects, kms: ports.vaultKms };
  const broker = startVaultSide(sides);
  const [alice, bob] = [newSession(), newSession()];
  const app = serveVaults(broker, [alice, bob]);

  async function newVault(session = alice): Promise<VaultId> {
    const vault = await world.newVault(ports);
    await openVault(broker, session, vault);
    return vault;
  }

  /** A blob goes up as the browser sends it: one PUT to the signed URL. */
  async function putBlob(vault: VaultId, bytes = randomBytes(40)): Promise<BlobId> {
    const blob = newBlobId();
    const sha256 = sha256B64(bytes);
    const url = await ports.vaultObjects.presignPut(vault, `blobs/${blob}`, bytes.length, sha256);
    const headers = {
      'content-type': OBJECT_TYPE,
      'content-disposition': OBJECT_DISPOSITION,
      'if-none-match': '*',
      'x-amz-checksum-sha256': sha256,
    };
    const { status } = await fetch(url, { method: 'PUT', headers, body: bytes });
    if (status !== 200) throw new Error(`expected 200, got ${String(status)}`);
    return blob;
  }

  /** Blobs, and a record beside each. */
  async function fill(vault: VaultId, count: number) {
    const blobs = await Promise.all(Array.from({ length: count }, () => putBlob(vault)));
    const records = blobs.map((blob) => ({ blob, record: newRecord(alice, vault, blob) }));
    for (let from = 0; from < count; from += LIMITS.batch) {
      const batch = records.slice(from, from + LIMITS.batch);
      await answer(await ask(app, alice, inboxWrite, vault, { records: batch }));
    }
    return records;
  }

  return {
    world,
    ports,
    /** What another broker's vault side is started with too. */
    sides,
    broker,
    app,
    alice,
    bob,
    newVault,
    putBlob,
    fill,
    list: async (vault: VaultId, after = ''): Promise<InboxPage> =>
      v.parse(inboxList.answer, await answer(await ask(app, alice, inboxList, vault, { after }))),
    /** All that the inbox has, up to a hundred of it. */
    async read(vault: VaultId): Promise<FoundRecords> {
      const page = await this.list(vault);
      const names = page.names.map(({ device, blob }) => ({ device, blob }));
      if (names.length === 0) return [];
      const found = await answer(await ask(app, alice, inboxRead, vault, { names }));
      return v.parse(inboxRead.answer, found).records;
    },
    record: (vault: VaultId, blob: BlobId) => ({ blob, record: newRecord(alice, vault, blob) }),
    async versionsBelow(vault: VaultId, prefix: string): Promise<number> {
      const page = await world.admin.send(
        new ListObjectVersionsCommand({ Bucket: 'halfkey', Prefix: `v/${vault}/${prefix}` }),
      );
      return (page.Versions?.length ?? 0) + (page.DeleteMarkers?.length ?? 0);
    },
    async close(): Promise<void> {
      broker.close();
      await world.close();
    },
  };
}
type InboxSetting = Awaited<ReturnType<typeof startInboxSetting>>;
