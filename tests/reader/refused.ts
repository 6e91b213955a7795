/** What the reader throws at everything that it does not take; `code` is the name that docs/FORMAT.md gives it. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'Refused';
    this.code = code;
  }
}

/** @throws {Refused} with that code unless the condition holds */
export function demand(condition: boolean, code: string, message: string): asserts condition {
  if (!condition) throw new Refused(code, message);
}
