import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { installPackages } from './install.mjs';
import { root } from './root.mjs';

// What is published beside a release, so that anybody can tell whether they got it: the bill of materials, and the
// digest of every file that is served or run. Both are the same for the same sources, whoever makes them.

const BUILT = ['build', 'dist'];

/** @typedef {{ version: string, integrity: string, license?: string }} Locked as the lockfile has it */

/**
 * Lines as `sha256sum` writes and checks them, of every file in `build` and `dist`, by path.
 * @param {string} folder the project's
 * @returns {string}
 */
export function digestsOf(folder) {
  const paths = BUILT.flatMap((name) =>
    readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' }).map((inside) =>
      join(name, inside),
    ),
  );
  return paths
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort()
    .map((path) => {
      const digest = createHash('sha256')
        .update(readFileSync(join(folder, path)))
        .digest('hex');
      return `${digest}  ${path.replaceAll('\\', '/')}\n`;
    })
    .join('');
}

/**
 * The bill of materials (CycloneDX 1.5, JSON) of the lockfile: what the app has in it and what builds it too, because
 * both are in the reach of anyone who changes a package. Not by `npm sbom`, which refuses a tree in which one package
 * asks for another's `latest`.
 * @param {string} folder the project's
 * @returns {string}
 */
export function billOfMaterials(folder) {
  /** @type {unknown} */
  const parsed = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  const lock = /** @type {{ name: string, version: string, packages: Record<string, Locked> }} */ (parsed);
  const components = Object.entries(lock.packages)
    .filter(([path]) => path !== '')
    .map(([path, locked]) => componentOf(path, locked));
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { type: 'application', name: lock.name, version: lock.version } },
    components,
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

/** @param {string} path in node_modules @param {Locked} locked */
function componentOf(path, { version, integrity, license }) {
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const [algorithm = '', digest = ''] = integrity.split('-', 2);
  return {
    type: 'library',
    'bom-ref': path,
    name,
    version,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    hashes: [
      { alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') },
    ],
    ...(license !== undefined && { licenses: [{ expression: license }] }),
  };
}

function main() {
  installPackages();
  build('app');
  build('broker');
  const folder = join(root, 'release');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'SHA256SUMS'), digestsOf(root));
  writeFileSync(join(folder, 'sbom.cdx.json'), billOfMaterials(root));
  console.log('release/SHA256SUMS and release/sbom.cdx.json are written');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
