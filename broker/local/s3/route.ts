import { notImplemented, Refusal } from '../refusal.ts';
import type { Query } from '../http-headers.ts';
import {
  createBucket,
  deleteBucketPolicy,
  getBucketCors,
  getBucketLocation,
  getBucketPolicy,
  getBucketVersioning,
  headBucket,
  listBuckets,
  putBucketCors,
  putBucketPolicy,
  putBucketVersioning,
} from './bucket-operations.ts';
import type { Operation } from './call.ts';
import { listObjectsV2, listObjectVersions } from './list-objects.ts';
import { listMultipartUploads, listParts } from './list-uploads.ts';
import { getObject } from './object-read.ts';
import { deleteObject, deleteObjects, putObject } from './object-write.ts';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  uploadPart,
} from './uploads.ts';

/** A request line's part of S3, by method and sub-resource; `''` when there is none. */
type Table = Readonly<Record<string, Operation>>;

const SERVICE: Table = { 'GET ': listBuckets };

const BUCKET: Table = {
  'PUT ': createBucket,
  'PUT cors': putBucketCors,
  'PUT versioning': putBucketVersioning,
  'PUT policy': putBucketPolicy,
  'GET cors': getBucketCors,
  'GET versioning': getBucketVersioning,
  'GET policy': getBucketPolicy,
  'GET location': getBucketLocation,
  'GET list-type': listObjectsV2,
  'GET versions': listObjectVersions,
  'GET uploads': listMultipartUploads,
  'HEAD ': headBucket,
  'DELETE policy': deleteBucketPolicy,
  'POST delete': deleteObjects,
};

const OBJECT: Table = {
  'PUT ': putObject,
  'PUT uploadId': uploadPart,
  'GET ': getObject,
  'HEAD ': getObject,
  'GET uploadId': listParts,
  'DELETE ': deleteObject,
  'DELETE uploadId': abortMultipartUpload,
  'POST uploads': createMultipartUpload,
  'POST uploadId': completeMultipartUpload,
};

/** Parameters that turn a request into another operation: none of them may be passed over. */
const SUBRESOURCES = [
  ...['cors', 'versioning', 'policy', 'location', 'list-type', 'versions', 'uploads', 'uploadId', 'delete'],
  ...[
    'accelerate',
    'acl',
    'analytics',
    'annotation',
    'append',
    'attributes',
    'encryption',
    'intelligent-tiering',
  ],
  ...['inventory', 'legal-hold', 'lifecycle', 'logging', 'metadataConfiguration', 'metadataTable', 'metrics'],
  ...[
    'notification',
    'object-lock',
    'ownershipControls',
    'policyStatus',
    'publicAccessBlock',
    'renameObject',
  ],
  ...[
    'replication',
    'requestPayment',
    'restore',
    'retention',
    'select',
    'session',
    'tagging',
    'torrent',
    'website',
  ],
];

/**
 * The operation that a request means.
 * @throws {Refusal} 405 or 501 for what is not part of the local cloud
 */
export function routeOperation(method: string, bucketName: string, key: string, query: Query): Operation {
  const table = bucketName === '' ? SERVICE : key === '' ? BUCKET : OBJECT;
  const present = SUBRESOURCES.filter((name) => query.has(name));
  if (present.length > 1) throw new Refusal(400, 'InvalidArgument', 'conflicting query string parameters');
  if (query.has('partNumber') && present[0] !== 'uploadId') throw notImplemented('reading a single part');
  const [name = ''] = present;
  const operation = new Map(Object.entries(table)).get(`${method} ${name}`);
  if (operation) return operation;
  if (name !== '') throw notImplemented(`${method} of the sub-resource ${name}`);
  if (method === 'GET' && table === BUCKET) throw notImplemented('version 1 of ListObjects');
  if (method === 'DELETE' && table === BUCKET) throw notImplemented('DeleteBucket');
  throw new Refusal(405, 'MethodNotAllowed', 'the method is not allowed against this resource', {
    details: { Method: method },
  });
}
