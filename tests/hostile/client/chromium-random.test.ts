import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { build } from 'vite';
import { expect } from 'vitest';
import { CHROMIUM_ARGS, headlessChromiumPath } from '../../support/chromium.mjs';
import type { SealInWorkers } from '../page/main.ts';
import { row } from '../support/row.ts';

declare const sealInWorkers: SealInWorkers;

const WORKERS = 8;

row(
  'A10',
  {
    attack: 'randomness used twice',
    tried: 'content keys, IVs and nonces of 8 real workers in Chromium: 100,000 ciphertexts (short: 8,000)',
  },
  async (t) => {
    const outDir = mkdtempSync(join(tmpdir(), 'halfkey-sealers-'));
    await build({
      root: fileURLToPath(new URL('../page', import.meta.url)),
      configFile: false,
      logLevel: 'error',
      worker: { format: 'es' },
      build: { target: 'es2022', outDir, emptyOutDir: true },
    });
    const types: Record<string, string> = { html: 'text/html', js: 'text/javascript' };
    const server = createServer(({ url = '/' }, response) => {
      const path = url === '/' ? '/index.html' : url;
      if (!existsSync(join(outDir, path))) {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, { 'content-type': types[path.split('.').at(-1) ?? ''] ?? 'text/plain' });
      response.end(readFileSync(join(outDir, path)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = await chromium.launch({ executablePath: headlessChromiumPath(), args: CHROMIUM_ARGS });
    try {
      const page = await browser.newPage();
      await page.goto(`http://localhost:${String((server.address() as AddressInfo).port)}/`);
      const ciphertexts = t.full ? 12_500 : 1_000;
      const made = await page.evaluate(({ workers, ciphertexts }) => sealInWorkers(workers, ciphertexts), {
        workers: WORKERS,
        ciphertexts,
      });
      expect(made).toHaveLength(3 * WORKERS * ciphertexts);
      expect(new Set(made).size).toBe(made.length);
      t.vary(WORKERS * ciphertexts);
      t.held('all keys, IVs and nonces are distinct');
    } finally {
      await browser.close();
      server.close();
      rmSync(outDir, { recursive: true, force: true });
    }
  },
);
