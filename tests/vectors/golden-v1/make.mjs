// Makes the golden account of version 1 anew: `node tests/vectors/golden-v1/make.mjs`, in the project's folder. It was made once.
// Every later version of the program must open these files as they are; nobody makes them again to please a test.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const here = new URL('./', import.meta.url);
// Vite turns TypeScript and the aliases into what Node 20 runs.
const server = await createServer({
  configFile: false,
  root: fileURLToPath(new URL('../../../', here)),
  resolve: { alias: { $contract: fileURLToPath(new URL('../../../broker/contract', here)) } },
  server: { middlewareMode: true, hmr: false, ws: false },
  appType: 'custom',
  optimizeDeps: { noDiscovery: true },
});
try {
  /** @type {typeof import('../../reader/golden-account.ts')} */
  const { makeGoldenAccount } = /** @type {any} */ (
    await server.ssrLoadModule('/tests/reader/golden-account.ts')
  );
  const { golden, files } = await makeGoldenAccount();
  const put = async (/** @type {string} */ name, /** @type {string | Uint8Array} */ content) => {
    const target = new URL(name, here);
    await mkdir(new URL('./', target), { recursive: true });
    await writeFile(target, content);
  };
  await put('golden.json', `${JSON.stringify(golden, null, 2)}\n`);
  for (const [name, bytes] of files) await put(name, bytes);
} finally {
  await server.close();
}
