import { bin, installPackages } from './install.mjs';
import { runQuietly } from './run.mjs';

// `npm run docs`: the reference of everything that is exported, from the docstrings, into docs/api.

installPackages();
console.log('Writing the reference …');
runQuietly('writing the reference', process.execPath, bin('typedoc', 'bin/typedoc'));
console.log('Open docs/api/index.html.');
