import { defineConfig } from 'vite';

// Node 20 runs no TypeScript: the broker and the local cloud are bundled, their packages stay outside.
export default defineConfig({
  publicDir: false,
  build: {
    ssr: true,
    target: 'node20',
    outDir: 'dist',
    rolldownOptions: {
      checks: { bundlerTimings: false },
      input: { broker: 'broker/entry/node.ts', 'local-cloud': 'broker/entry/local-cloud.ts' },
    },
  },
});
