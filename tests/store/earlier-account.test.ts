import { describe, expect, it } from 'vitest';
import { sealAad } from '../../src/lib/crypto/aad.ts';
import { generateDeviceWrapKey } from '../../src/lib/crypto/device-wrap.ts';
import { seal } from '../../src/lib/crypto/floe.ts';
import { randomBytes } from '../../src/lib/crypto/random.ts';
import { openEarlierKeys } from '../../src/lib/store/earlier-account.ts';

const [ACCOUNT, VAULT, EPOCH] = ['account', 'vault', 3];

async function earlier() {
  const wrapKey = await generateDeviceWrapKey();
  const [accountKey, vaultKey] = [randomBytes(32), randomBytes(32)];
  const sealed = (owner: string, id: string, epoch: number, key: typeof accountKey) =>
    seal(wrapKey, sealAad('device-wrap', owner, id, epoch), key);
  const record = {
    ...{ account: ACCOUNT, vault: VAULT, epoch: EPOCH },
    sealedAccountKey: await sealed(ACCOUNT, 'account-key', 0, accountKey),
    sealedVaultKey: await sealed(VAULT, 'vault-key', EPOCH, vaultKey),
  };
  return { wrapKey, accountKey, vaultKey, record };
}

describe('a record of the first version', () => {
  it('opens with the device’s wrap key', async () => {
    const { wrapKey, record, accountKey, vaultKey } = await earlier();
    expect(await openEarlierKeys(record, wrapKey)).toEqual({ accountKey, vaultKey });
  });

  it('opens with no other, and for no other account, vault or epoch', async () => {
    const { wrapKey, record } = await earlier();
    await expect(openEarlierKeys(record, await generateDeviceWrapKey())).rejects.toThrow();
    for (const change of [{ account: 'x' }, { vault: 'x' }, { epoch: 4 }]) {
      await expect(openEarlierKeys({ ...record, ...change }, wrapKey)).rejects.toThrow();
    }
  });

  it('is told from one of today', async () => {
    const { wrapKey, record } = await earlier();
    const { account, vault, epoch } = record;
    const today = { account, vault, epoch, sealedSecrets: randomBytes(3) };
    expect(await openEarlierKeys(today, wrapKey)).toBeUndefined();
  });
});
