// `npm run local-cloud -- --data DIR --port N`: the local cloud alone.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfStale } from './build.mjs';
import { installPackages } from './install.mjs';
import { root } from './root.mjs';

// Standard output is for the one line of JSON.
installPackages(console.error);
buildIfStale('broker', console.error);
await import(pathToFileURL(join(root, 'dist', 'local-cloud.js')).href);
