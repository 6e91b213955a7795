import {
  CognitoIdentityClient,
  GetCredentialsForIdentityCommand,
  GetOpenIdTokenForDeveloperIdentityCommand,
} from '@aws-sdk/client-cognito-identity';
import { DecryptCommand, DescribeKeyCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { sendRaw, useTestCloud, type HeaderList } from '../s3/fixture.ts';

const setup = useTestCloud();

function kmsClient(config: object = {}): KMSClient {
  const { description } = setup().cloud;
  return new KMSClient({
    region: description.region,
    endpoint: description.kmsEndpoint,
    maxAttempts: 1,
    credentials: { accessKeyId: description.accessKeyId, secretAccessKey: description.secretAccessKey },
    ...config,
  });
}

/** Has the SDK sign a request to KMS, and takes it away before it is sent. */
async function signedDescribe(): Promise<{ headers: HeaderList; body: Uint8Array }> {
  let taken: { headers: HeaderList; body: Uint8Array } | undefined;
  const command = new DescribeKeyCommand({ KeyId: setup().cloud.description.kmsKeyId });
  command.middlewareStack.add(
    () => (args) => {
      const request = args.request as { headers: Record<string, string>; body: string | Uint8Array };
      taken = { headers: Object.entries(request.headers), body: Buffer.from(request.body) };
      throw new Error('taken');
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  await kmsClient()
    .send(command)
    .catch(() => undefined);
  if (!taken) throw new Error('the SDK did not get as far as to sign');
  return taken;
}

const send = (headers: HeaderList, body: Uint8Array) =>
  sendRaw(setup().endpoint, { method: 'POST', target: '/', headers, body });

describe('KMS and Cognito on the port of S3', () => {
  it('answer signed requests of the SDK', async () => {
    const { description } = setup().cloud;
    const EncryptionContext = { app: 'halfkey', purpose: 'totp', account: 'a' };
    const kms = kmsClient();
    const made = await kms.send(
      new GenerateDataKeyCommand({ KeyId: description.kmsKeyId, KeySpec: 'AES_256', EncryptionContext }),
    );
    const opened = await kms.send(
      new DecryptCommand({ CiphertextBlob: made.CiphertextBlob, EncryptionContext }),
    );
    expect(opened.Plaintext).toEqual(made.Plaintext);
  });

  it('take a temporary token, and refuse one that was altered', async () => {
    const { description } = setup().cloud;
    const { region, cognitoEndpoint: endpoint } = description;
    const credentials = {
      accessKeyId: description.brokerAccessKeyId,
      secretAccessKey: description.brokerSecretAccessKey,
    };
    const cognito = new CognitoIdentityClient({ region, endpoint, credentials });
    const { IdentityId, Token } = await cognito.send(
      new GetOpenIdTokenForDeveloperIdentityCommand({
        IdentityPoolId: description.identityPoolId,
        Logins: { [description.developerProviderName]: 'somebody' },
      }),
    );
    const Logins = { 'cognito-identity.amazonaws.com': Token! };
    const { Credentials } = await cognito.send(new GetCredentialsForIdentityCommand({ IdentityId, Logins }));
    const own = {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretKey!,
      sessionToken: Credentials!.SessionToken!,
    };
    const generate = (sessionToken: string, vault: string) =>
      kmsClient({ credentials: { ...own, sessionToken } }).send(
        new GenerateDataKeyCommand({
          KeyId: description.kmsKeyId,
          KeySpec: 'AES_256',
          EncryptionContext: { app: 'halfkey', purpose: 'file', vault, blob: 'b' },
        }),
      );
    expect((await generate(own.sessionToken, IdentityId!)).Plaintext).toHaveLength(32);
    await expect(generate(own.sessionToken, 'us-east-1:another')).rejects.toThrow(
      expect.objectContaining({ name: 'AccessDeniedException' }),
    );
    await expect(generate(`${own.sessionToken}x`, IdentityId!)).rejects.toThrow(
      expect.objectContaining({ name: 'UnrecognizedClientException' }),
    );
  });

  it('refuse another body, and each signed header altered, removed or duplicated', async () => {
    const { headers, body } = await signedDescribe();
    expect((await send(headers, body)).status).toBe(200);
    const authorization = headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? '';
    const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';') ?? [];
    expect(names).toEqual(expect.arrayContaining(['host', 'x-amz-date', 'x-amz-target']));
    const other = Buffer.from(body);
    other.writeUInt8(0x20, body.length - 2);
    expect((await send(headers, other)).status).toBe(403);
    for (const name of names) {
      const isIt = ([one]: readonly [string, string]) => one.toLowerCase() === name;
      const value = headers.find(isIt)?.[1] ?? '';
      const changed = name === 'content-length' ? String(body.length - 1) : `x${value}`;
      const tampered: HeaderList[] = [
        headers.map((header) => (isIt(header) ? [header[0], changed] : header)),
        headers.filter((header) => !isIt(header)),
        [...headers, [name, value]],
      ];
      for (const [index, list] of tampered.entries()) {
        const { status } = await send(list, body);
        expect(`${name} ${String(index)}: ${String(status)}`).toBe(`${name} ${String(index)}: 403`);
      }
    }
  });

  it('refuse a wrong secret, a request for another service, and one without a signature', async () => {
    const { description } = setup().cloud;
    const describe = (config: object) =>
      kmsClient(config).send(new DescribeKeyCommand({ KeyId: description.kmsKeyId }));
    const { accessKeyId } = description;
    await expect(describe({ credentials: { accessKeyId, secretAccessKey: 'x' } })).rejects.toThrow(
      expect.objectContaining({ name: 'InvalidSignatureException' }),
    );
    await expect(describe({ credentials: { accessKeyId: 'AKIAX', secretAccessKey: 'x' } })).rejects.toThrow(
      expect.objectContaining({ name: 'UnrecognizedClientException' }),
    );
    await expect(describe({ systemClockOffset: 3_600_000 })).rejects.toThrow(
      expect.objectContaining({ name: 'InvalidSignatureException' }),
    );
    const unsigned = await fetch(setup().endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'TrentService.DescribeKey', 'content-type': 'application/x-amz-json-1.1' },
      body: JSON.stringify({ KeyId: description.kmsKeyId }),
    });
    expect(unsigned.ok).toBe(false);
    expect(await unsigned.json()).toHaveProperty('__type');
    const unknown = await fetch(setup().endpoint, { method: 'POST', headers: { 'x-amz-target': 'Other.X' } });
    expect(unknown.status).toBe(403);
  });
});
