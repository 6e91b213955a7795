import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';

/** The app. Tests have a configuration of their own, vitest.config.ts: building asks for no browser. */
export default defineConfig({
  plugins: [sveltekit()],
  // `npm run dev` says where the broker is. It is asked under the name that the browser uses: of another it knows nothing.
  server: {
    proxy: {
      '/api': { target: process.env['HALFKEY_BROKER'] ?? 'http://127.0.0.1:8788', changeOrigin: false },
    },
  },
  worker: { format: 'es' },
  build: { target: 'es2022', rolldownOptions: { checks: { bundlerTimings: false } } },
});
