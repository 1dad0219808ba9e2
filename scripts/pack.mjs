/**
 * `prepack` and `postpack` of npm: compiles the sources into `dist/`, and removes from package.json, while npm packs it, the
 * parts that only a checkout needs. The main one is the pinned Node.js: a machine that installs the package has its own.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup/run-pinned.mjs';

const manifestFile = join(root, 'package.json');
const keptFile = join(root, 'package.json.unpacked');

if (process.argv[2] === 'prepack') prepack();
else if (process.argv[2] === 'postpack') postpack();
else throw new Error(`expected prepack or postpack, got ${process.argv[2] ?? 'nothing'}`);

function prepack() {
  // A pack that was killed has left the original aside.
  postpack();
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  execFileSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  const text = readFileSync(manifestFile, 'utf8');
  const manifest = JSON.parse(text);
  delete manifest.optionalDependencies;
  delete manifest.devDependencies;
  delete manifest.scripts;
  writeFileSync(keptFile, text);
  writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`);
}

function postpack() {
  if (existsSync(keptFile)) renameSync(keptFile, manifestFile);
}
