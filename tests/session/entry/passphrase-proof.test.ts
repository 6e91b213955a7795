import type * as Opaque from '@serenity-kit/opaque';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { signinStart } from '$contract/accounts.ts';
import { startRegistration } from '../../../src/lib/account/opaque.ts';
import { provePassphrase } from '../../../src/lib/session/entry/passphrase-proof.ts';
import { refusalCode } from '../../crypto/refusal.ts';
import { quickOpaque } from '../../support/quick-opaque.ts';
import { openOpaqueBroker } from './opaque-broker.ts';

vi.mock('@serenity-kit/opaque', async (importOriginal) => quickOpaque(await importOriginal<typeof Opaque>()));

const RIGHT = 'zebra-quick-violin-under-major-pond';
let server: Awaited<ReturnType<typeof openOpaqueBroker>>;
let serverPublicKey: string;
let exportKey: Uint8Array;

beforeEach(async () => {
  server = await openOpaqueBroker('q0dDsGUj3VPvKXqZQVZ3Ag');
  const { server: opaque } = await import('@serenity-kit/opaque');
  const registration = await startRegistration(RIGHT);
  const { registrationResponse } = opaque.createRegistrationResponse({
    ...{ serverSetup: server.setup, userIdentifier: 'q0dDsGUj3VPvKXqZQVZ3Ag' },
    registrationRequest: registration.registrationRequest,
  });
  const registered = registration.finish(registrationResponse);
  ({ serverPublicKey, exportKey } = registered);
  server.record = registered.registrationRecord;
});
const prove = (passphrase: string, userName = 'ada', pinned = serverPublicKey) =>
  provePassphrase(passphrase, { userName, serverPublicKey: pinned }, server.broker);

describe('the account’s passphrase', () => {
  it('is proven by two messages, and the third is not sent: the session stays what it is', async () => {
    const proof = await prove(RIGHT);
    expect(proof.exportKey).toEqual(exportKey);
    expect(proof.finishLoginRequest).not.toBe('');
    expect(server.heard).toEqual([signinStart.path]);
  });

  it('that is another one is told as such', async () => {
    expect(await refusalCode(prove('another-passphrase-of-mine'))).toBe('passphrase_wrong');
  });

  it('is not proven to another server', async () => {
    expect(await refusalCode(prove(RIGHT, 'ada', 'AAEC'))).toBe('server_unknown');
  });

  it('cannot be where an earlier build did not keep the user name: nobody is asked', async () => {
    expect(await refusalCode(prove(RIGHT, ''))).toBe('session_missing');
    expect(server.heard).toEqual([]);
  });
});
