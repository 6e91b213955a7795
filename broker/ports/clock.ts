/** Milliseconds since 1970; a test's own in tests. */
export type Clock = () => number;
