/** What can be wrong with a policy; stable, for tests and for the message of a refused start. */
export type PolicyFault =
  | 'not_json'
  | 'unreadable'
  | 'unknown_element'
  | 'unknown_operator'
  | 'unknown_condition_key'
  | 'unknown_action'
  | 'unknown_variable'
  | 'unknown_placeholder'
  | 'bad_value';

/** A policy that the local cloud cannot evaluate to the letter, and therefore does not evaluate at all. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly code: PolicyFault;
  /** The message without the code. */
  readonly detail: string;

  constructor(code: PolicyFault, detail: string) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
  }
}
