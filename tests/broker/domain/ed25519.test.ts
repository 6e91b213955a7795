import { describe, expect, test } from 'vitest';
import { isSignedBy } from '../../../broker/domain/ed25519.ts';
import { KIT } from '../../adversarial/files.ts';

const fromHex = (hex: string) => Buffer.from(hex, 'hex');

describe('what is a signature to the broker', () => {
  test.each(KIT.signatures.vectors)(
    'is one to every reader: $name',
    ({ publicKeyHex, messageHex, signatureHex, expect: { isSigned } }) => {
      const publicKey = fromHex(publicKeyHex).toString('base64url');
      expect(isSignedBy(publicKey, fromHex(messageHex), fromHex(signatureHex))).toBe(isSigned);
    },
  );
});
