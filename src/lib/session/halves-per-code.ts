/** KMS halves that the broker makes against one code. Making one opens nothing that exists, so they are counted apart from releases. */
export const HALVES_PER_CODE = 10_000;
