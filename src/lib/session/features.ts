import { generateAgreementKeyPair } from '../crypto/agreement.ts';
import { generateDeviceKeyPair } from '../crypto/signing.ts';
import { HalfkeyError } from '../errors.ts';
import { hasOpfs } from '../store/opfs.ts';

/**
 * What Halfkey cannot do without, in the order in which it is looked for. What uses a feature is the surest test of it.
 */
const FEATURES: readonly (readonly [feature: string, works: () => boolean | Promise<boolean>])[] = [
  ['secure context', () => globalThis.isSecureContext],
  ['WebAssembly', () => typeof WebAssembly === 'object'],
  ['locks', () => 'locks' in navigator],
  ['OPFS', hasOpfs],
  ['Ed25519', () => succeeds(generateDeviceKeyPair)],
  ['X25519', () => succeeds(generateAgreementKeyPair)],
];

/** @throws {HalfkeyError} `browser_lacks` with the first feature that is missing */
export async function requireFeatures(): Promise<void> {
  for (const [feature, works] of FEATURES) {
    if (!(await works())) {
      throw new HalfkeyError('browser_lacks', `the browser lacks ${feature}`, { detail: { feature } });
    }
  }
}

async function succeeds(run: () => Promise<unknown>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch {
    return false;
  }
}
