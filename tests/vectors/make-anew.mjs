import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const root = new URL('../../', import.meta.url);

/**
 * Writes golden files anew, as a module of the tests makes them.
 * @template Module
 * @param {string | URL} folder where they go
 * @param {string} path of the module, in the project's folder
 * @param {(module: Module) => Promise<Iterable<readonly [string, string | Uint8Array]>>} make names and contents
 */
export async function makeAnew(folder, path, make) {
  // Vite turns TypeScript and the aliases into what Node runs.
  const server = await createServer({
    configFile: false,
    // What Node 20 does not know yet, `using`, is written out.
    oxc: { target: 'node20' },
    root: fileURLToPath(root),
    resolve: { alias: { $contract: fileURLToPath(new URL('broker/contract', root)) } },
    server: { middlewareMode: true, hmr: false, ws: false },
    appType: 'custom',
    optimizeDeps: { noDiscovery: true },
  });
  try {
    const module = /** @type {Module} */ (await server.ssrLoadModule(path));
    for (const [name, content] of await make(module)) {
      const target = new URL(name, folder);
      await mkdir(new URL('./', target), { recursive: true });
      await writeFile(target, content);
    }
  } finally {
    await server.close();
  }
}

/** @param {unknown} value */
export const json = (value) => `${JSON.stringify(value, null, 2)}\n`;
