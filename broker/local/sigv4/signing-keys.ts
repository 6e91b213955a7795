import type { Credential } from '../principal.ts';
import { type Scope, scopeText, signingKey } from './canonical.ts';

/** One for each service of a day, and the same of the day before. */
const MAX_KEPT = 8;

/**
 * Signing keys that were derived already: a key lasts a day, and is four HMACs. One is kept only after a signature by
 * it held, so that strangers, who may name any scope, put nothing here.
 */
export class SigningKeys {
  readonly #kept = new WeakMap<Credential, Map<string, Buffer>>();

  /** The key of the credential for the scope, kept or derived. */
  of(credential: Credential, scope: Scope): Buffer {
    return this.#kept.get(credential)?.get(scopeText(scope)) ?? signingKey(credential.secretAccessKey, scope);
  }

  keep(credential: Credential, scope: Scope, key: Buffer): void {
    const text = scopeText(scope);
    const keys = this.#kept.get(credential) ?? new Map<string, Buffer>();
    if (keys.has(text)) return;
    if (keys.size === MAX_KEPT) keys.clear();
    this.#kept.set(credential, keys.set(text, key));
  }
}
