import { isSignedBy, prefixed } from './primitives.ts';

/** Section 15: whether the identity key has certified a device for an account. */
export const isCertified = (
  { account, identityPublicKey }: { readonly account: string; readonly identityPublicKey: Uint8Array },
  of: {
    readonly device: string;
    readonly publicKey: Uint8Array;
    readonly agreementKey: Uint8Array;
    readonly certificate: Uint8Array;
  },
): boolean =>
  isSignedBy(
    identityPublicKey,
    of.certificate,
    prefixed('halfkey/device/1', account, of.device, of.publicKey, of.agreementKey),
  );
