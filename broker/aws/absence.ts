import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { BrokerProblem } from '../domain/problem.ts';
import { credentialsAreStale, faultName, faultStatus } from './vault-faults.ts';

/** One object of ours. */
interface ObjectName {
  readonly Bucket: string;
  readonly Key: string;
}

/**
 * Reads an object that may not be there. S3 answers 404 for a missing key only to those who may list the bucket, and a
 * policy that allows that by prefix says nothing of it to a GET, which names none: then it is 403, and a listing of
 * that very key settles it. Any other refusal comes through as it was.
 * @returns undefined if there is no such object
 */
export async function readPresent<Result>(
  s3: S3Client,
  name: ObjectName,
  read: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (await meansAbsent(s3, name, error)) return undefined;
    if (!isForbidden(error)) throw error;
  }
  // It is listed: written since, or there all along and forbidden.
  try {
    return await read();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether a refusal means that there is no such object. Rejects with what the listing met. */
export async function meansAbsent(s3: S3Client, name: ObjectName, error: unknown): Promise<boolean> {
  return isMissing(error) || (isForbidden(error) && !(await isListed(s3, name, error)));
}

/** Of all keys that begin with a key, it is the first. */
async function isListed(s3: S3Client, { Bucket, Key }: ObjectName, refusal: unknown): Promise<boolean> {
  try {
    const page = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key, MaxKeys: 1 }));
    // The SDK takes an answer that is not a listing for an empty one; a listing always has its count.
    if (page.KeyCount === undefined) throw new BrokerProblem('store_unreachable');
    return page.Contents?.[0]?.Key === Key;
  } catch (error) {
    // Who may not list it either was refused for what it is.
    throw isForbidden(error) ? refusal : error;
  }
}

/**
 * Under credentials that are taken: others are refused whatever they ask for. A HEAD's refusal has no word for it, its
 * listing's has.
 */
function isForbidden(error: unknown): boolean {
  return faultStatus(error) === 403 && !credentialsAreStale(error);
}

/** Without a bucket it is another 404. */
function isMissing(error: unknown): boolean {
  const name = faultName(error);
  return name === 'NoSuchKey' || name === 'NotFound';
}
