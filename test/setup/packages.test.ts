import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pinnedPackages, platform } from '../../scripts/setup/node.mjs';
import { installPackages, readStamp } from '../../scripts/setup/packages.mjs';
import { withTree, type Files } from '../support/tree.ts';

/** A project with one package from a folder, so that the real npm installs it without a network. */
const project: Files = {
  'package.json': '{"name":"project","version":"1.0.0","dependencies":{"one":"file:one"}}',
  'package-lock.json': lockfile('1.0.0'),
  'one/package.json': '{"name":"one","version":"1.0.0"}',
  'one/index.js': 'module.exports = 1;',
};

function lockfile(version: string, more: object = {}): string {
  return JSON.stringify({
    name: 'project',
    version: '1.0.0',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: 'project', version: '1.0.0', dependencies: { one: 'file:one' } },
      'node_modules/one': { resolved: 'one', link: true },
      one: { version },
      ...more,
    },
  });
}

/** Installs and answers what was said meanwhile. */
async function install(folder: string): Promise<string[]> {
  const said: string[] = [];
  await installPackages(folder, (line) => said.push(line));
  return said;
}

describe('installing the npm packages', () => {
  it('installs what is missing, notes it, and then leaves it alone', async () => {
    await withTree(project, async (folder) => {
      expect(readStamp(folder)).toBeUndefined();
      expect(await install(folder)).toHaveLength(1);
      expect(existsSync(join(folder, 'node_modules', 'one', 'index.js'))).toBe(true);
      expect(readStamp(folder)).toMatchObject({ pinnedNode: false });
      expect(await install(folder)).toEqual([]);
    });
  });

  it('installs again after an interrupted installation', async () => {
    await withTree(project, async (folder) => {
      await install(folder);
      // npm writes its list last: one that was killed has left none, and no stamp.
      rmSync(join(folder, 'node_modules', '.package-lock.json'));
      rmSync(join(folder, 'node_modules', '.tonnage-setup.json'));
      expect(await install(folder)).toHaveLength(1);
    });
  });

  it('sees that the lockfile has changed', async () => {
    await withTree(project, async (folder) => {
      await install(folder);
      writeFileSync(join(folder, 'package-lock.json'), lockfile('1.0.1'));
      writeFileSync(join(folder, 'one', 'package.json'), '{"name":"one","version":"1.0.1"}');
      expect(readStamp(folder)).toBeUndefined();
      expect(await install(folder)).toHaveLength(1);
      expect(readStamp(folder)).toBeDefined();
    });
  });

  it('does not take a stamp of another platform, or one cut short, for its own', async () => {
    await withTree(project, async (folder) => {
      await install(folder);
      const file = join(folder, 'node_modules', '.tonnage-setup.json');
      const stamp = readFileSync(file, 'utf8');
      writeFileSync(file, stamp.replace(/"platform":"[^"]*"/, '"platform":"plan9-mips"'));
      expect(readStamp(folder)).toBeUndefined();
      writeFileSync(file, stamp.slice(0, 20));
      expect(readStamp(folder)).toBeUndefined();
    });
  });

  it('removes the link of a pinned Node.js that does not start', async () => {
    const name = pinnedPackages[platform];
    if (name === undefined) return;
    const files = {
      'package.json': `{"name":"project","version":"1.0.0","dependencies":{"${name}":"file:broken"}}`,
      'package-lock.json': JSON.stringify({
        name: 'project',
        version: '1.0.0',
        lockfileVersion: 3,
        packages: {
          '': { name: 'project', version: '1.0.0', dependencies: { [name]: 'file:broken' } },
          [`node_modules/${name}`]: { resolved: 'broken', link: true },
          broken: { name, version: '1.0.0', bin: { node: 'bin/node' } },
        },
      }),
      'broken/package.json': `{"name":"${name}","version":"1.0.0","bin":{"node":"bin/node"}}`,
      'broken/bin/node': 'not a program',
    };
    await withTree(files, async (folder) => {
      await install(folder);
      expect(existsSync(join(folder, 'node_modules', name, 'bin', 'node'))).toBe(true);
      expect(existsSync(join(folder, 'node_modules', '.bin', 'node'))).toBe(false);
    });
  });

  it('names an optional package for this platform that npm has left out', async () => {
    const native = { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] };
    const files = { ...project, 'package-lock.json': lockfile('1.0.0', { 'node_modules/@native/code': native }) };
    await withTree(files, async (folder) => {
      await expect(install(folder)).rejects.toThrow(/npm left out packages that .* needs: @native\/code/);
      expect(readStamp(folder)).toBeUndefined();
    });
  });

  it('explains a lockfile that does not fit package.json', async () => {
    const files = {
      ...project,
      'package.json': '{"name":"project","version":"1.0.0","dependencies":{"two":"file:two"}}',
    };
    await withTree({ ...files, 'two/package.json': '{"name":"two","version":"1.0.0"}' }, async (folder) => {
      await expect(install(folder)).rejects.toThrow(/npm ci failed[^]*two[^]*npm install --ignore-scripts/);
    });
  });

  it('explains a package host that cannot be reached', async () => {
    const files = {
      'package.json': '{"name":"project","version":"1.0.0","dependencies":{"away":"1.0.0"}}',
      'package-lock.json': JSON.stringify({
        name: 'project',
        version: '1.0.0',
        lockfileVersion: 3,
        packages: {
          '': { name: 'project', version: '1.0.0', dependencies: { away: '1.0.0' } },
          'node_modules/away': { version: '1.0.0', resolved: 'http://127.0.0.1:9/away/-/away-1.0.0.tgz' },
        },
      }),
      '.npmrc': 'fetch-retries=0\n',
    };
    await withTree(files, async (folder) => {
      await expect(install(folder)).rejects.toThrow(/npm ci failed[^]*away-1\.0\.0[^]*check the network/);
    });
  });
});
