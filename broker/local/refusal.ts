/**
 * Why a request is turned down, in AWS's own words: every service of the local cloud throws this, and the server
 * writes it as S3's XML or as the JSON of KMS and Cognito.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** HTTP status. */
  readonly status: number;
  /** AWS's error code, such as `NoSuchKey`. */
  readonly code: string;
  /** Further elements of the error document, by name. */
  readonly details: Readonly<Record<string, string>>;
  /** Response headers that belong to the refusal, such as `content-range` of a 416. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { details?: Record<string, string>; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = more.details ?? {};
    this.headers = more.headers ?? {};
  }
}

/** 403: the policies, or the lack of a signature, forbid it. */
export const accessDenied = (message = 'access denied'): Refusal => new Refusal(403, 'AccessDenied', message);

/** 403: the access key is unknown, or the token that belongs to it is missing or another. */
export const invalidAccessKey = (): Refusal =>
  new Refusal(403, 'InvalidAccessKeyId', 'the access key id does not exist in our records');

/** 403 `SignatureDoesNotMatch`. */
export const signatureMismatch = (): Refusal =>
  new Refusal(
    403,
    'SignatureDoesNotMatch',
    'the signature calculated from the request is not the one provided',
  );

/** 400 `InvalidArgument`, naming the argument. */
export const invalidArgument = (message: string, name: string): Refusal =>
  new Refusal(400, 'InvalidArgument', message, { details: { ArgumentName: name } });

/** 400 `InvalidRequest`. */
export const invalidRequest = (message: string): Refusal => new Refusal(400, 'InvalidRequest', message);

/** 501: something that S3 knows and the local cloud does not. */
export const notImplemented = (what: string): Refusal =>
  new Refusal(501, 'NotImplemented', `the local cloud does not implement ${what}`);

/**
 * What the disk said when a write failed.
 * @returns the refusal a client gets, when the disk is full or a quota is reached; undefined for every other fault
 */
export function storageRefusal(error: unknown): Refusal | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EFBIG') return undefined;
  // 507, as other S3 servers answer: the SDKs retry 500 and 503, which would only fill the disk again.
  return new Refusal(507, 'InsufficientStorage', 'the disk of the local cloud is full; nothing was stored');
}
