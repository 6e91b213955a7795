/**
 * What policies may speak of here. A word outside of these tables would never match a request, and a Deny that
 * never matches protects nothing: so an unknown word is a fault of the policy, as it is to S3.
 */

/** Actions that the local cloud asks the policies about, as IAM writes them. */
export const ACTIONS = [
  's3:AbortMultipartUpload',
  's3:CreateBucket',
  's3:DeleteBucket',
  's3:DeleteBucketPolicy',
  's3:DeleteObject',
  's3:DeleteObjectVersion',
  's3:GetBucketCORS',
  's3:GetBucketLocation',
  's3:GetBucketPolicy',
  's3:GetBucketVersioning',
  's3:GetObject',
  's3:GetObjectVersion',
  's3:ListAllMyBuckets',
  's3:ListBucket',
  's3:ListBucketMultipartUploads',
  's3:ListBucketVersions',
  's3:ListMultipartUploadParts',
  's3:PutBucketCORS',
  's3:PutBucketPolicy',
  's3:PutBucketVersioning',
  's3:PutObject',
  'kms:CancelKeyDeletion',
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:DisableKey',
  'kms:EnableKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:ScheduleKeyDeletion',
  'cognito-identity:GetOpenIdTokenForDeveloperIdentity',
] as const;

/** The one condition key with several values: the names of the pairs in KMS's encryption context, case-sensitive. */
export const CONTEXT_KEYS = 'kms:encryptioncontextkeys';

const CONTEXT_VALUE = 'kms:encryptioncontext:';

/**
 * Condition keys in lower case, as IAM compares them. `aws:SecureTransport` is always "false" here: loopback is plain
 * HTTP.
 */
const CONDITION_KEYS: ReadonlySet<string> = new Set([
  'aws:securetransport',
  's3:authtype',
  's3:delimiter',
  's3:if-match',
  's3:if-none-match',
  's3:max-keys',
  's3:objectcreationoperation',
  's3:prefix',
  's3:signatureage',
  's3:signatureversion',
  's3:versionid',
  's3:x-amz-acl',
  's3:x-amz-content-sha256',
  's3:x-amz-copy-source',
  's3:x-amz-server-side-encryption',
  's3:x-amz-server-side-encryption-customer-algorithm',
  CONTEXT_KEYS,
]);

/** Whether the local cloud supplies this condition key; `key` in any case. */
export function isConditionKey(key: string): boolean {
  const lower = key.toLowerCase();
  return (
    CONDITION_KEYS.has(lower) || (lower.startsWith(CONTEXT_VALUE) && lower.length > CONTEXT_VALUE.length)
  );
}

/** IAM's only policy variable here: the id of the Cognito identity that asks. */
export const SUB_VARIABLE = 'cognito-identity.amazonaws.com:sub';
