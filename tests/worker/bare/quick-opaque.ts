import * as opaque from '@serenity-kit/opaque';
import { quickOpaque } from '../../support/quick-opaque.ts';

// In place of the library, in the worker that tests send commands to.
export const { client, server, ready } = quickOpaque(opaque);
