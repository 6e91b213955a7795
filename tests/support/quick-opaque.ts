import type * as Opaque from '@serenity-kit/opaque';

/** Weaker than a client's own, because tests do this often; the broker knows nothing of it. */
export const KSF = { 'argon2id-custom': { memory: 64, iterations: 1, parallelism: 1 } };

/**
 * OPAQUE whose client stretches so, whatever it is asked for: for tests of the client's code that are not about
 * stretching.
 */
export function quickOpaque({ client, server, ready }: typeof Opaque): typeof Opaque {
  return {
    server,
    ready,
    client: {
      ...client,
      finishRegistration: (params) => client.finishRegistration({ ...params, keyStretching: KSF }),
      finishLogin: (params) => client.finishLogin({ ...params, keyStretching: KSF }),
    },
  };
}
