import { BrokerProblem } from '../domain/problem.ts';

/** Errors by which AWS says that the credentials themselves are no longer taken. */
const STALE_CREDENTIALS = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidToken',
  'TokenRefreshRequired',
  'UnrecognizedClientException',
  'InvalidAccessKeyId',
]);

const THROTTLING = new Set([
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'SlowDown',
  'LimitExceededException',
]);

/** The key exists no more, or is disabled, or its policy refuses: waiting does not help, the operator has to. */
const UNUSABLE_KEY = new Set([
  'DisabledException',
  'KMSInvalidStateException',
  'NotFoundException',
  'AccessDeniedException',
  'InvalidKeyUsageException',
  'InvalidArnException',
]);

/** The KMS blob is not of this key and encryption context, or no KMS blob at all. */
const FOREIGN_BLOB = new Set([
  'InvalidCiphertextException',
  'IncorrectKeyException',
  'ValidationException',
  'SerializationException',
]);

/** URIError: the SDK was to put a text into a URL that is not well-formed Unicode. */
const PROGRAMMING_ERRORS = [TypeError, RangeError, ReferenceError, URIError];

/** AWS's error code (`NoSuchKey`), or the name of what was thrown; empty for what is not an error. */
export function faultName(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** HTTP status of an answer that was an error; undefined when there was no answer at all. */
export function faultStatus(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number } | undefined)?.httpStatusCode;
}

/** True when the same request may succeed under fresh credentials. */
export function credentialsAreStale(error: unknown): boolean {
  return STALE_CREDENTIALS.has(faultName(error));
}

/**
 * What a failed S3 request means to the one who asked: `store_full`, `store_unreachable` (no answer, 5xx, throttling),
 * or `internal` for an answer that only a mistake of ours or of the operator's policies brings about.
 */
export function storeFault(error: unknown): BrokerProblem {
  if (error instanceof BrokerProblem) return error;
  const status = faultStatus(error);
  if (status === 507) return new BrokerProblem('store_full', { cause: error });
  if (unanswered(error, status)) {
    return new BrokerProblem('store_unreachable', { retryAfterSeconds: 1, cause: error });
  }
  return new BrokerProblem('internal', { cause: error });
}

/** As `storeFault`, for KMS: `record_corrupt`, `kms_key_unusable`, `kms_unreachable` or `internal`. */
export function kmsFault(error: unknown): BrokerProblem {
  if (error instanceof BrokerProblem) return error;
  const name = faultName(error);
  if (FOREIGN_BLOB.has(name)) return new BrokerProblem('record_corrupt', { cause: error });
  if (UNUSABLE_KEY.has(name)) return new BrokerProblem('kms_key_unusable', { cause: error });
  if (unanswered(error, faultStatus(error))) {
    return new BrokerProblem('kms_unreachable', { retryAfterSeconds: 1, cause: error });
  }
  return new BrokerProblem('internal', { cause: error });
}

/** No answer (refused connection, timeout), one that says "later", or credentials that have to be fetched anew. */
function unanswered(error: unknown, status: number | undefined): boolean {
  if (credentialsAreStale(error) || THROTTLING.has(faultName(error))) return true;
  // A programming error is thrown without a status too, and must not look like an outage: who waits for its end waits
  // for ever.
  if (status === undefined) return !PROGRAMMING_ERRORS.some((kind) => error instanceof kind);
  // A success that is an error all the same broke off in the middle; 409 is another request of the same object under
  // way.
  return status < 300 || status >= 500 || [408, 409, 429].includes(status);
}
