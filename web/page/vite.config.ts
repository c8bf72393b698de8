// Relative addresses only, so that the page works from any folder of any file host.
import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  build: { outDir: '../dist', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  worker: { format: 'es' },
});
