import { BlobId } from '$contract/ids.ts';
import type { EnvelopeName } from '$contract/envelope.ts';
import { LIMITS } from '$contract/limits.ts';
import type { grantBuy } from '$contract/accounts.ts';
import * as v from 'valibot';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import type { OpenVault, ReleasedFile } from './open-vault.ts';
import { openReleased } from './release.ts';

/** Whoever typed the code for something has begun with it by then. */
const KEPT_MS = 10_000;

type Released = NonNullable<v.InferOutput<typeof grantBuy.answer>['released']>;

/** Keys of the files that a code was typed for, which came with it. Each is taken once, and soon, or is no more. */
export class ReleasedAhead {
  readonly #files: Map<string, ReleasedFile>;
  readonly #timer: ReturnType<typeof setTimeout>;

  private constructor(files: Map<string, ReleasedFile>) {
    this.#files = files;
    this.#timer = setTimeout(() => {
      this.wipe();
    }, KEPT_MS);
  }

  /** What of it does not open is left out: asked for by itself, it says why. */
  static async open(
    vault: OpenVault,
    names: readonly EnvelopeName[],
    released: Released,
  ): Promise<ReleasedAhead> {
    const files = new Map<string, ReleasedFile>();
    for (const name of names) {
      const contentKey = (await openReleased(vault, 'file', [name], released)).get(name.blob);
      const url = released.urls.find(({ blob }) => blob === name.blob)?.url;
      if (contentKey instanceof Uint8Array) files.set(placeOf(name), { contentKey, url });
    }
    return new ReleasedAhead(files);
  }

  take(name: EnvelopeName): ReleasedFile | undefined {
    const file = this.#files.get(placeOf(name));
    this.#files.delete(placeOf(name));
    return file;
  }

  wipe(): void {
    clearTimeout(this.#timer);
    for (const { contentKey } of this.#files.values()) contentKey.fill(0);
    this.#files.clear();
  }
}

const placeOf = ({ blob, epoch }: EnvelopeName): string => `${blob}/${String(epoch)}`;

/** Envelopes of the newest versions of files, each once, as many as one request may name; what is no file any more has none. */
export function namesOf(state: FoldedVault, files: readonly string[]): EnvelopeName[] {
  return [...new Set(files)].slice(0, LIMITS.batch).flatMap((file) => {
    const version = state.newestVersion(file);
    return version ? [{ blob: v.parse(BlobId, version.blob), epoch: version.epoch }] : [];
  });
}
