import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';

/** The app. Tests have a configuration of their own, vitest.config.ts: building asks for no browser. */
export default defineConfig({
  plugins: [sveltekit()],
  worker: { format: 'es' },
  build: { target: 'es2022', rolldownOptions: { checks: { bundlerTimings: false } } },
});
