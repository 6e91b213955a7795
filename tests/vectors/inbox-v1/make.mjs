// Makes the golden files of inbox records, drafts and inbox keys anew: `node tests/vectors/inbox-v1/make.mjs`, in the project's
// folder. They were made once. Later versions of the program must open them as they are; nobody makes them again to please a test.
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
  /** @type {typeof import('../../inbox/golden-making.ts')} */
  const { makeGoldenInbox } = /** @type {any} */ (await server.ssrLoadModule('/tests/inbox/golden-making.ts'));
  const { golden, files } = await makeGoldenInbox();
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
