import { HalfkeyError } from '../errors.ts';

/**
 * Modules that only a few flows need, and that are fetched when one begins. A browser that cannot fetch one says so in
 * words of its own.
 * @throws {HalfkeyError} `app_unreachable`
 */
export async function loaded<Modules>(modules: Promise<Modules>): Promise<Modules> {
  try {
    return await modules;
  } catch (cause) {
    throw new HalfkeyError('app_unreachable', 'a module of the app could not be fetched', { cause });
  }
}
