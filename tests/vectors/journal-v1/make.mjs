// Makes the golden files of the journal's first version anew: `node tests/vectors/journal-v1/make.mjs`, in the project's folder.
// They were made once. Later versions of the program must open them as they are; nobody makes them again to please a test.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const here = new URL('./', import.meta.url);
const server = await createServer({
  configFile: false,
  root: fileURLToPath(new URL('../../../', here)),
  resolve: { alias: { $contract: fileURLToPath(new URL('../../../broker/contract', here)) } },
  server: { middlewareMode: true, hmr: false, ws: false },
  appType: 'custom',
  optimizeDeps: { noDiscovery: true },
});
try {
  /** @type {typeof import('../../journal/golden-vault.ts')} */
  const { makeGoldenVault } = /** @type {any} */ (await server.ssrLoadModule('/tests/journal/golden-vault.ts'));
  const { keys, log, pages, expected } = await makeGoldenVault();
  const put = async (/** @type {string} */ name, /** @type {string | Uint8Array} */ content) => {
    const target = new URL(name, here);
    await mkdir(new URL('./', target), { recursive: true });
    await writeFile(target, content);
  };
  await put('keys.json', `${JSON.stringify(keys, null, 2)}\n`);
  await put('expected.json', `${JSON.stringify(expected, null, 2)}\n`);
  for (const [seq, bytes] of log.entries()) await put(`log/${String(seq)}`, bytes);
  for (const [name, bytes] of pages) await put(`snapshots/${name}`, bytes);
} finally {
  await server.close();
}
