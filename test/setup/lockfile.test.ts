import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pinnedPackages } from '../../scripts/setup/node.mjs';
import { root } from '../../scripts/test/tools.ts';

interface Locked {
  readonly version: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lockfile = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>;
};
const packages = Object.entries(lockfile.packages).filter(([path]) => path !== '');

describe('package-lock.json', () => {
  it('holds the integrity of every package, and no address: installations choose their own host', () => {
    expect(packages.filter(([, { integrity }]) => integrity === undefined)).toEqual([]);
    expect(packages.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  it('names the optional packages of all platforms, or `npm ci` would refuse it', () => {
    const missing = packages.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => lockfile.packages[`${path}/node_modules/${name}`] === undefined && !isLocked(name),
      ),
    );
    expect(missing).toEqual([]);
  });

  it.each(Object.entries(pinnedPackages))('holds the Node.js of %s: %s', (_, name) => {
    expect(lockfile.packages[`node_modules/${name}`]).toMatchObject({
      version: expect.stringMatching(/^26[.]/),
      optional: true,
    });
  });
});

function isLocked(name: string): boolean {
  return lockfile.packages[`node_modules/${name}`] !== undefined;
}
