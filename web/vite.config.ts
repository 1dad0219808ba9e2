import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  // Relative addresses, so that the page also works below a path of a reverse proxy.
  base: './',
  build: {
    target: 'es2022',
    // The page's security policy forbids `data:` addresses and inline code.
    assetsInlineLimit: 0,
    modulePreload: false,
    emptyOutDir: true,
    reportCompressedSize: false,
  },
});
