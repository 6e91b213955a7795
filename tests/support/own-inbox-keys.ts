import type { Bytes } from '../../src/lib/bytes.ts';
import { OwnInboxKeys } from '../../src/lib/inbox/own-keys.ts';

/** Which inbox keys a device has made, for as long as the test lasts. */
export function memoryOwnKeys(owner: { readonly vault: string; readonly device: string }): OwnInboxKeys {
  let rests: Bytes | undefined;
  const vaultKey = new Uint8Array(32).fill(8);
  return new OwnInboxKeys(
    { ...owner, epoch: 0, vaultKey },
    {
      load: () => Promise.resolve(rests),
      save: (sealed) => {
        rests = sealed;
        return Promise.resolve();
      },
    },
  );
}
