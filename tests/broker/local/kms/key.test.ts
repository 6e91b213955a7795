import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createKms } from '../../../../broker/local/kms/kms.ts';
import type { Kms } from '../../../../broker/local/kms/kms.ts';
import type { Authorize, Principal } from '../../../../broker/local/principal.ts';
import {
  ACCOUNT_ID,
  ADMINISTRATOR,
  BROKER,
  IDENTITY,
  OTHER_VAULT,
  POLICIES,
  REGION,
  authorizeBy,
  jsonBody,
  temporaryFolder,
} from '../iam/fixture.ts';
import { KeyId, b64, call, context, everything, fault, openKms } from './fixture.ts';

describe('the key', () => {
  it('answers to id, ARN, alias and the ARN of the alias, and to nothing else', async () => {
    const kms = await openKms(temporaryFolder());
    const aliasArn = `arn:aws:kms:${REGION}:${ACCOUNT_ID}:alias/halfkey`;
    for (const name of [kms.keyId, kms.keyArn, 'alias/halfkey', aliasArn]) {
      const { body } = await call(kms, 'DescribeKey', { KeyId: name });
      expect(body['KeyMetadata']).toMatchObject({
        KeyId: kms.keyId,
        Arn: kms.keyArn,
        Enabled: true,
        KeyState: 'Enabled',
      });
    }
    for (const name of [
      'alias/other',
      kms.keyId.toUpperCase(),
      `${kms.keyArn}0`,
      kms.keyArn.replace(REGION, 'eu-west-1'),
      '*',
    ]) {
      expect(await fault(kms, 'GenerateDataKey', { KeyId: name, KeySpec: 'AES_256' })).toBe(
        'NotFoundException',
      );
    }
  });

  it('lies in one file for the owner alone, and is the same for all who make it at the same time', async () => {
    const folder = join(temporaryFolder(), 'kms');
    const all = await Promise.all(Array.from({ length: 16 }, () => openKms(folder)));
    expect(new Set(all.map(({ keyId }) => keyId)).size).toBe(1);
    expect(readdirSync(folder)).toEqual(['root-key.json']);
    expect(statSync(join(folder, 'root-key.json')).mode & 0o777).toBe(0o600);
  });

  it('is not made anew over a damaged file, and the message keeps its content', async () => {
    const folder = temporaryFolder();
    await openKms(folder);
    const path = join(folder, 'root-key.json');
    const text = readFileSync(path, 'utf8');
    for (const damaged of ['', text.slice(0, -1), text.replace('"secretB64":"', '"secretB64":"AAAA')]) {
      writeFileSync(path, damaged);
      await expect(openKms(folder)).rejects.toThrow(
        /^root-key\.json of the local cloud's KMS is damaged: restore/,
      );
      expect(readFileSync(path, 'utf8')).toBe(damaged);
    }
  });

  it('can be switched off and on, and that survives a restart', async () => {
    const folder = temporaryFolder();
    const kms = await openKms(folder);
    const { CiphertextBlob } = (await call(kms, 'GenerateDataKey', { KeyId, KeySpec: 'AES_256' })).body;
    expect((await call(kms, 'DisableKey', { KeyId })).status).toBe(200);
    const again = await openKms(folder);
    for (const one of [kms, again]) {
      expect(await fault(one, 'Decrypt', { CiphertextBlob })).toBe('DisabledException');
      expect(await fault(one, 'GenerateDataKey', { KeyId, KeySpec: 'AES_256' })).toBe('DisabledException');
      expect((await call(one, 'DescribeKey', { KeyId })).body['KeyMetadata']).toMatchObject({
        Enabled: false,
        KeyState: 'Disabled',
      });
    }
    expect((await call(again, 'EnableKey', { KeyId })).status).toBe(200);
    expect((await call(again, 'Decrypt', { CiphertextBlob })).status).toBe(200);
  });

  it('that is pending deletion works for nothing until it is taken back, and then comes back switched off', async () => {
    const nowMs = 1_790_000_000_000;
    const folder = temporaryFolder();
    const kms = await createKms({
      folder,
      authorize: everything,
      region: REGION,
      accountId: ACCOUNT_ID,
      nowMs: () => nowMs,
    });
    const { CiphertextBlob } = (await call(kms, 'GenerateDataKey', { KeyId, KeySpec: 'AES_256' })).body;
    for (const PendingWindowInDays of [6, 31]) {
      expect(await fault(kms, 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays })).toBe(
        'ValidationException',
      );
    }
    expect((await call(kms, 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })).body).toMatchObject({
      KeyState: 'PendingDeletion',
      DeletionDate: nowMs / 1000 + 7 * 86_400,
    });
    for (const name of ['EnableKey', 'DisableKey', 'ScheduleKeyDeletion']) {
      expect(await fault(kms, name, { KeyId })).toBe('KMSInvalidStateException');
    }
    expect(await fault(await openKms(folder), 'Decrypt', { CiphertextBlob })).toBe(
      'KMSInvalidStateException',
    );
    expect((await call(kms, 'CancelKeyDeletion', { KeyId })).status).toBe(200);
    expect(await fault(kms, 'CancelKeyDeletion', { KeyId })).toBe('KMSInvalidStateException');
    expect(await fault(kms, 'Decrypt', { CiphertextBlob })).toBe('DisabledException');
    await call(kms, 'EnableKey', { KeyId });
    expect((await call(kms, 'Decrypt', { CiphertextBlob })).status).toBe(200);
  });
});

describe('rights', () => {
  async function governed(): Promise<Kms> {
    let authorize: Authorize = () => false;
    const kms = await openKms(temporaryFolder(), (request) => authorize(request));
    authorize = authorizeBy(POLICIES, { kmsKeyArn: kms.keyArn });
    return kms;
  }

  it('keep vaults apart, and the broker from all of them', async () => {
    const kms = await governed();
    const other: Principal = { kind: 'identity', sub: OTHER_VAULT };
    const made = await call(
      kms,
      'GenerateDataKey',
      { KeyId, KeySpec: 'AES_256', EncryptionContext: context },
      IDENTITY,
    );
    const open = { CiphertextBlob: made.body['CiphertextBlob'], EncryptionContext: context };
    expect((await call(kms, 'Decrypt', open, IDENTITY)).body['Plaintext']).toBe(made.body['Plaintext']);
    expect(await fault(kms, 'Decrypt', open, other)).toBe('AccessDeniedException');
    expect(await fault(kms, 'Decrypt', open, BROKER)).toBe('AccessDeniedException');
    const asOwn = { ...open, EncryptionContext: { ...context, vault: OTHER_VAULT } };
    expect(await fault(kms, 'Decrypt', asOwn, other)).toBe('InvalidCiphertextException');
    const asTotp = { ...open, EncryptionContext: { app: 'halfkey', purpose: 'totp', account: 'x' } };
    expect(await fault(kms, 'Decrypt', asTotp, BROKER)).toBe('InvalidCiphertextException');
  });

  it('give the broker its own secrets, and no vault those', async () => {
    const kms = await governed();
    const EncryptionContext = { app: 'halfkey', purpose: 'totp', account: 'x' };
    const sealed = await call(kms, 'Encrypt', { KeyId, Plaintext: b64(20), EncryptionContext }, BROKER);
    const open = { CiphertextBlob: sealed.body['CiphertextBlob'], EncryptionContext };
    expect((await call(kms, 'Decrypt', open, BROKER)).body['Plaintext']).toBe(b64(20));
    expect(await fault(kms, 'Decrypt', open, IDENTITY)).toBe('AccessDeniedException');
    expect((await call(kms, 'DescribeKey', { KeyId }, BROKER)).status).toBe(200);
    expect(await fault(kms, 'DisableKey', { KeyId }, BROKER)).toBe('AccessDeniedException');
  });

  it('are asked before anything is opened: a denied caller learns nothing of a blob', async () => {
    const kms = await governed();
    const input = { CiphertextBlob: b64(97), EncryptionContext: context };
    expect(await fault(kms, 'Decrypt', input, BROKER)).toBe('AccessDeniedException');
  });

  it('are for who signed only', async () => {
    const kms = await governed();
    const answer = await kms.handle('TrentService.DescribeKey', jsonBody({ KeyId }), undefined);
    expect(answer).toMatchObject({ status: 400, body: { __type: 'MissingAuthenticationTokenException' } });
  });
});

describe('requests', () => {
  it.each([
    ['TrentService.Nothing', '{}', 'UnknownOperationException'],
    ['TrentService.__proto__', '{}', 'UnknownOperationException'],
    ['Decrypt', '{}', 'UnknownOperationException'],
    ['', '', 'UnknownOperationException'],
    ['TrentService.Decrypt', '', 'SerializationException'],
    ['TrentService.Decrypt', '{', 'SerializationException'],
    ['TrentService.Decrypt', `"${'x'.repeat(262_143)}"`, 'SerializationException'],
    ['TrentService.Decrypt', 'null', 'ValidationException'],
    ['TrentService.Decrypt', '[]', 'ValidationException'],
    ['TrentService.DescribeKey', '{"KeyId":"alias/halfkey","DryRun":true}', 'ValidationException'],
    ['TrentService.DescribeKey', '{"KeyId":""}', 'ValidationException'],
  ])('answers %s with a body like %.20s: %s', async (target, body, expected) => {
    const kms = await openKms(temporaryFolder());
    const answer = await kms.handle(target, new TextEncoder().encode(body), ADMINISTRATOR);
    expect(answer).toMatchObject({ status: 400, body: { __type: expected } });
  });

  it('that are refused quote nothing of what they brought', async () => {
    const kms = await openKms(temporaryFolder());
    const secret = 'c2VjcmV0';
    for (const input of [
      { KeyId, Plaintext: `${secret}!` },
      { KeyId: secret, Plaintext: secret },
      { KeyId, Plaintext: secret, KeySpec: secret },
    ]) {
      const { status, body } = await call(kms, 'Encrypt', input);
      expect(status).toBe(400);
      expect(JSON.stringify(body)).not.toContain(secret);
    }
  });

  it('fail with 500 and no detail when the disk does', async () => {
    const folder = temporaryFolder();
    const kms = await openKms(join(folder, 'kms'));
    rmSync(join(folder, 'kms'), { recursive: true });
    expect(await call(kms, 'DisableKey', { KeyId })).toEqual({
      status: 500,
      body: { __type: 'KMSInternalException', message: 'the request could not be completed' },
    });
    expect((await call(kms, 'GenerateDataKey', { KeyId, KeySpec: 'AES_256' })).status).toBe(200);
  });
});
