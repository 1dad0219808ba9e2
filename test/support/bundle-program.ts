import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'vite';

const root = join(import.meta.dirname, '..', '..');

/** Modules find their threads and the dashboard relative to their own URL, so each keeps the URL of its source file. */
const sourceUrls: Plugin = {
  name: 'source-urls',
  transform: (code, id) =>
    id.startsWith(join(root, 'src')) && code.includes('import.meta.url')
      ? code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href))
      : undefined,
};

/**
 * Bundles the program and its packages into a few files, laid out as an installed package, and names its entry in
 * `TEST_PROGRAM`. The end-to-end tests start the program hundreds of times, and a start from the bundle takes half the CPU
 * time of a start from a thousand source files. Vitest calls this before the first of these tests, and the returned function
 * after the last one.
 */
export default async function bundleProgram(): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'tonnage-program-'));
  mkdirSync(join(folder, 'bin'));
  for (const file of ['package.json', 'bin/tonnage.js']) copyFileSync(join(root, file), join(folder, file));
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [sourceUrls],
    ssr: { noExternal: true },
    build: { ssr: 'src/cli/main.ts', outDir: join(folder, 'dist', 'cli'), target: 'esnext', minify: false },
  });
  process.env['TEST_PROGRAM'] = join(folder, 'bin', 'tonnage.js');
  return () => rmSync(folder, { recursive: true, force: true });
}
