import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { isProductName, productOf } from './products.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where test files ask for what has to be built: see built.ts. */
    workshop: string;
  }
}

/**
 * Builds what the test files of a run ask for, when the first one asks and once for all of them. They run in processes
 * of their own; this one is there as long as the run.
 */
export default async function openWorkshop(project: TestProject): Promise<() => void> {
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) ?? '';
    const product = isProductName(name) ? productOf(name) : Promise.reject(new Error(`nobody makes ${name}`));
    product.then(
      (folder) => response.end(folder),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.stack : 'not an error'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  project.provide('workshop', `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  return () => {
    server.close();
    server.closeAllConnections();
  };
}
