import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  // Addresses relative to the page, so that it also works below a path of a reverse proxy.
  base: './',
  build: {
    target: 'es2022',
    // The page is served with a policy that allows no `data:` addresses and no inline code.
    assetsInlineLimit: 0,
    modulePreload: false,
    emptyOutDir: true,
    reportCompressedSize: false,
  },
});
