import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfStale } from './build.mjs';
import { installPackages, requireNode } from './install.mjs';
import { root } from './root.mjs';
import { requireFreePorts } from './port.mjs';

// `npm start`: from a fresh clone to a running Halfkey. Installs and builds what is missing or out of date.

requireNode();
const bringsCloud = !process.env['HALFKEY_BUCKET'] && !process.env['HALFKEY_LOCAL_CLOUD'];
await requireFreePorts(bringsCloud ? 2 : 1);
installPackages();
buildIfStale('app');
buildIfStale('broker');
await import(pathToFileURL(join(root, 'dist', 'broker.js')).href);
