/**
 * What Svelte's compiler makes of `$state.raw` where nothing is drawn: the value itself. What is derived is computed
 * once, so a test goes by what a class answers when it is asked. To be imported before a module with runes.
 */
const value = <T>(initial: T): T => initial;
Object.assign(globalThis, { $state: Object.assign(value, { raw: value }), $derived: value });

export {};
