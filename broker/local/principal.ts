/** Who a request to the local cloud is made by: what AWS would call the caller's ARN, reduced to three kinds. */
export type Principal =
  | { readonly kind: 'administrator' }
  | { readonly kind: 'broker' }
  /** `sub` is the Cognito identity's id, `region:uuid`; it is also the vault's id. */
  | { readonly kind: 'identity'; readonly sub: string };

/** A key pair that may sign requests, as SigV4 knows it. */
export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Present for short-lived credentials only; then every request has to carry it. */
  readonly sessionToken?: string;
  /** Absent for the administrator's and the broker's, which do not expire. */
  readonly expiresAtMs?: number;
  readonly principal: Principal;
}

/**
 * Looks up a key pair by its public half. Survives a restart: nothing is stored of a short-lived one, its session token
 * says (and proves) what it is. So the token of the request (`X-Amz-Security-Token`, header or query; undefined when
 * there is none) has to be handed over as it came. `undefined` means: unknown key, or token missing, forged or another
 * key's. A long-lived key is found without a token only. An expired credential is found: the caller compares
 * `expiresAtMs` and answers ExpiredToken.
 */
export type FindCredential = (
  accessKeyId: string,
  sessionToken: string | undefined,
) => Credential | undefined;

/** One question to the policies. */
export interface AccessRequest {
  readonly principal: Principal;
  /** As IAM writes it: `s3:PutObject`, `kms:Decrypt`. */
  readonly action: string;
  /** ARN: `arn:aws:s3:::bucket/key`, or the KMS key's. */
  readonly resource: string;
  /**
   * Condition keys present in the request, in IAM's spelling (`s3:prefix`, `s3:if-none-match`,
   * `s3:ObjectCreationOperation`, `s3:signatureAge` in ms, `kms:EncryptionContext:vault` …). A key that is absent is
   * null to IAM. What the policies may ask for is the table in `iam/vocabulary.ts`; only `kms:EncryptionContextKeys`
   * has several values.
   */
  readonly context: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** True when the identity's policy allows the request and no policy, the bucket's included, denies it. */
export type Authorize = (request: AccessRequest) => boolean;
