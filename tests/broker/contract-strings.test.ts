import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import * as v from 'valibot';
import { beforeAll, describe, expect, it } from 'vitest';
import * as account from '$contract/accounts.ts';
import { b64url } from '$contract/ids.ts';
import * as vault from '$contract/vaults.ts';
import type { AccountClient } from '../support/account-client.ts';
import { CONTRACT_ROUTES } from '../support/contract-routes.ts';
import { setUpBroker } from '../support/set-up-broker.ts';

/** Text that is somebody else's, as a vault's id is Cognito's, and not bytes in base64url. */
const NO_BYTES = /(?:userName|uploadId|etag|sha256|code|backupCode|suite|purpose|from|known|after|vault)$/;

interface Leaf {
  readonly place: string;
  readonly schema: v.GenericSchema;
}

/** Every string that a schema takes, by its place. */
function strings(schema: v.GenericSchema, place: string): Leaf[] {
  const node = schema as unknown as {
    readonly type: string;
    readonly entries?: Readonly<Record<string, v.GenericSchema>>;
    readonly item?: v.GenericSchema;
    readonly wrapped?: v.GenericSchema;
    readonly options?: readonly unknown[];
  };
  if (node.entries) {
    return Object.entries(node.entries).flatMap(([name, entry]) => strings(entry, `${place}.${name}`));
  }
  if (node.item) return strings(node.item, place);
  if (node.wrapped) return strings(node.wrapped, place);
  if (node.type === 'union') {
    return (node.options ?? []).flatMap((option) => strings(option as v.GenericSchema, place));
  }
  return ['string', 'picklist', 'literal'].includes(node.type) ? [{ place, schema }] : [];
}

const LEAVES = CONTRACT_ROUTES.flatMap(({ path, request }) => strings(request, path));
const takes = (schema: v.GenericSchema, text: string): boolean =>
  v.safeParse(schema, text, { abortEarly: true }).success;

describe('every string of a request', () => {
  it('is found', () => {
    expect(LEAVES.length).toBeGreaterThan(60);
    for (const name of ['uploadId', 'etag', 'userName', 'grant', 'segment', 'salt']) {
      expect(LEAVES.some(({ place }) => place.endsWith(`.${name}`))).toBe(true);
    }
  });

  it.each(LEAVES)('$place is well-formed Unicode without control characters', ({ schema }) => {
    const lengths = [1, 2, 6, 16, 22, 43, 44, 86];
    for (const odd of ['\ud800', '\udfff', '\udc00\ud800', '\u0000', '\n', '\u007f', '\ufffe']) {
      for (const length of lengths) {
        const fill = 'A'.repeat(Math.max(0, length - odd.length));
        for (const text of [odd, odd + fill, fill + odd]) expect(takes(schema, text)).toBe(false);
      }
    }
  });

  it.each(LEAVES)('$place ends somewhere', ({ schema }) => {
    for (const letter of ['A', '2', '0', 'é', '😀']) {
      expect(takes(schema, letter.repeat(3 * 1024 * 1024))).toBe(false);
    }
  });

  it.each(LEAVES.filter(({ place }) => !NO_BYTES.test(place)))(
    '$place has one form for the same bytes',
    ({ schema }) => {
      const taken = Array.from({ length: 130 }, (_, length) => length).filter((length) =>
        takes(schema, 'A'.repeat(length)),
      );
      expect(taken.length).toBeGreaterThan(0);
      for (const length of taken) {
        expect(length % 4).not.toBe(1);
        expect(takes(schema, 'A'.repeat(Math.max(0, length - 1)) + '=')).toBe(false);
        if (length % 4 !== 0) expect(takes(schema, `${'A'.repeat(length - 1)}B`)).toBe(false);
      }
    },
  );
});

describe('bytes in base64url', () => {
  it('are taken as they are written, and in no other form', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 70 }),
        fc.string({ maxLength: 3, unit: fc.constantFrom('A', 'B', 'w', '_', '=', '+', ' ') }),
        (bytes, end) => {
          const text = Buffer.from(bytes).toString('base64url');
          expect(takes(b64url({ exactly: bytes.length }), text)).toBe(true);
          expect(takes(b64url({ atMost: 70 }), text)).toBe(true);
          const other = text.slice(0, text.length - end.length) + end;
          const isCanonical = Buffer.from(other, 'base64url').toString('base64url') === other;
          expect(takes(b64url({ atMost: 100 }), other)).toBe(isCanonical);
        },
      ),
      { numRuns: 2000, seed: 20261128 },
    );
  });

  it('of the longest segment are looked at without a stack of their own', () => {
    const text = randomBytes(1024 * 1024).toString('base64url');
    expect(takes(b64url({ atMost: 1024 * 1024 }), text)).toBe(true);
  });
});

describe('the broker', () => {
  const { newClient } = setUpBroker();
  let client: AccountClient;

  beforeAll(async () => {
    client = newClient();
    await client.signUp('border');
  });

  const blob = 'A'.repeat(22);
  const sha256 = `${'A'.repeat(43)}=`;
  const parts = [{ partNumber: 1, etag: '"x"', sha256 }];

  it.each([
    ['a lone surrogate', 'x\ud800'],
    ['a NUL', 'x\u0000'],
    ['a letter beyond ASCII', 'é'],
  ])('refuses %s in what goes to S3 as it came', async (_what, text) => {
    for (const [route, request, field] of [
      [vault.uploadList, { blob, uploadId: text }, 'uploadId'],
      [vault.uploadAbort, { blob, uploadId: text }, 'uploadId'],
      [
        vault.uploadPartUrls,
        { blob, uploadId: text, parts: [{ partNumber: 1, sizeBytes: 1, sha256 }] },
        'uploadId',
      ],
      [vault.uploadComplete, { blob, uploadId: text, sizeBytes: 1, parts }, 'uploadId'],
      [
        vault.uploadComplete,
        { blob, uploadId: 'x', sizeBytes: 1, parts: [{ ...parts[0], etag: text }] },
        'parts.0.etag',
      ],
    ] as const) {
      const reply = await client.call(route, request);
      expect(reply, route.path).toMatchObject({
        status: 400,
        problem: { code: 'input_malformed', fields: [field] },
      });
    }
  });

  it('refuses an envelope whose bytes are written in another form', async () => {
    const envelope = {
      suite: 'halfkey/1',
      purpose: 'file',
      epoch: 0,
      salt: 'A'.repeat(43),
      kmsBlob: 'AA',
      sealedKey: 'AAA',
    };
    for (const [field, text] of [
      ['salt', `${'A'.repeat(42)}B`],
      ['kmsBlob', 'AB'],
      ['sealedKey', 'AAB'],
      ['sealedKey', 'AAAAA'],
    ] as const) {
      const envelopes = [{ blob, envelope: { ...envelope, [field]: text } }];
      expect(await client.call(vault.envelopesWrite, { envelopes })).toMatchObject({
        status: 400,
        problem: { code: 'input_malformed', fields: [`envelopes.0.envelope.${field}`] },
      });
    }
  });

  it('refuses an OPAQUE message in another form', async () => {
    for (const startLoginRequest of ['AAAAA', 'AB', 'AAB']) {
      expect(await client.call(account.signinStart, { userName: 'border', startLoginRequest })).toMatchObject(
        {
          status: 400,
          problem: { code: 'input_malformed', fields: ['startLoginRequest'] },
        },
      );
    }
  });
});
