/**
 * Settings of every client: what its requests pass through is put together once for each kind of request instead of for
 * each request. One with options or middleware of its own has to be sent with options, which keeps it apart.
 */
export const LEAN = { cacheMiddleware: true } as const;

/** What the SDK does with each request, and what is of no use here. */
const UNUSED = [
  // Takes every input and output apart for a log that is not kept.
  'loggerMiddleware',
  // Statistics for AWS.
  'getUserAgentMiddleware',
  // For Lambdas that call themselves.
  'recursionDetectionMiddleware',
  // For directory buckets.
  's3ExpressMiddleware',
  // For bodies from 2 MiB on; the longest that a broker sends is a segment.
  'addExpectContinueMiddleware',
  // For names and regions of buckets that come from elsewhere than the settings.
  'validateBucketNameMiddleware',
  'regionRedirectMiddleware',
] as const;

/**
 * Takes out of a client what is of no use here: releasing a hundred keys is two hundred requests.
 * @returns the client
 */
export function lean<Client extends { readonly middlewareStack: { remove(name: string): boolean } }>(
  client: Client,
): Client {
  for (const name of UNUSED) client.middlewareStack.remove(name);
  return client;
}
