/** Why a broker does not start. Unlike a BrokerProblem this is said to the operator, not to a client. */
export type StartFault =
  | 'settings_invalid'
  /** The bucket's accounts were made with another setup: with this one nobody could sign in. */
  | 'setup_mismatch'
  /** The bucket has been set up, but `broker/setup` is gone. */
  | 'setup_lost'
  /** Another S3 than AWS's, which does not do what safety depends on. */
  | 'store_unfit'
  | 'local_cloud_failed';

export class StartRefused extends Error {
  override readonly name = 'StartRefused';
  readonly code: StartFault;

  constructor(code: StartFault, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
  }
}
