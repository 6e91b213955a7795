/** Of a command that takes none. */
export type NoArguments = Record<string, never>;
