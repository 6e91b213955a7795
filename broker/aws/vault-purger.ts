import { DeleteObjectsCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Purger } from '../ports/vaults.ts';
import { storeFault } from './vault-faults.ts';

interface Version {
  readonly Key: string;
  readonly VersionId: string;
}

/** S3 lists, and deletes, at most so many at a time. */
const PAGE = 1000;
/** Prefixes listed at a time. */
const PARALLEL = 16;

/** Deletes with the broker's own role. */
export function vaultPurger(s3: S3Client, bucket: string): Purger {
  return {
    async eraseBelow(prefixes) {
      try {
        const waiting = [...prefixes];
        const found: Version[] = [];
        const listers = Array.from({ length: Math.min(PARALLEL, waiting.length) }, async () => {
          for (let prefix = waiting.pop(); prefix !== undefined; prefix = waiting.pop()) {
            found.push(...(await versionsBelow(s3, bucket, prefix)));
          }
        });
        await Promise.all(listers);
        const kept: string[] = [];
        for (let from = 0; from < found.length; from += PAGE) {
          kept.push(...(await eraseAll(s3, bucket, found.slice(from, from + PAGE))));
        }
        return kept;
      } catch (error) {
        throw storeFault(error);
      }
    },
  };
}

/** Versions and delete markers alike: what is left of either would bring a name back, or keep bytes. */
async function versionsBelow(s3: S3Client, Bucket: string, Prefix: string): Promise<Version[]> {
  const versions: Version[] = [];
  let next: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {};
  while (next) {
    const page: Awaited<ReturnType<typeof list>> = await list(next);
    for (const { Key, VersionId } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) {
      if (Key !== undefined) versions.push({ Key, VersionId: VersionId ?? 'null' });
    }
    next = page.IsTruncated
      ? {
          ...(page.NextKeyMarker === undefined ? {} : { KeyMarker: page.NextKeyMarker }),
          ...(page.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: page.NextVersionIdMarker }),
        }
      : undefined;
  }
  return versions;

  function list(markers: { KeyMarker?: string; VersionIdMarker?: string }) {
    return s3.send(new ListObjectVersionsCommand({ Bucket, Prefix, ...markers }));
  }
}

/** Refusals of one object that the next try may not meet. */
const PASSING = new Set(['InternalError', 'ServiceUnavailable', 'SlowDown']);

/**
 * @param Objects at most 1,000
 * @returns keys that S3 keeps for a reason of its own, such as a legal hold
 */
export async function eraseAll(s3: S3Client, Bucket: string, Objects: Version[]): Promise<string[]> {
  const { Errors = [] } = await s3.send(
    new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }),
  );
  // S3 answers 200 though single deletions failed; a repeated purge takes up what is left.
  const passing = Errors.find(({ Code }) => Code === undefined || PASSING.has(Code));
  if (passing) {
    const code = passing.Code ?? 'no code';
    throw new Error(`expected ${String(Objects.length)} deletions, S3 refused some: ${code}`);
  }
  return Errors.flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
}
