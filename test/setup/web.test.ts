import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildWeb, isWebBuilt } from '../../scripts/setup/web.mjs';
import { root } from '../../scripts/test/tools.ts';
import { withTree, type Files } from '../support/tree.ts';

const project: Files = {
  'package-lock.json': '{}',
  'web/index.html': '<!doctype html><title>x</title><script type="module" src="./src/main.ts"></script>',
  'web/src/main.ts': "document.title = 'built' as string;",
};

const build = (folder: string) => buildWeb(folder, process.execPath, () => {});

describe('building the dashboard', () => {
  it('is done when a source has changed, and only then', async () => {
    await withTree(project, async (folder) => {
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
      expect(isWebBuilt(folder)).toBe(false);
      await build(folder);
      expect(isWebBuilt(folder)).toBe(true);
      await withChange(join(folder, 'web/src/main.ts'), () => expect(isWebBuilt(folder)).toBe(false));
      await withChange(join(folder, 'package-lock.json'), () => expect(isWebBuilt(folder)).toBe(false));
    });
  });

  it('leaves what was there when it fails, and says why', async () => {
    await withTree(project, async (folder) => {
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
      await build(folder);
      await withChange(join(folder, 'web/src/main.ts'), async () => {
        await expect(build(folder)).rejects.toThrow(/cannot be built[^]*main[.]ts/);
      });
      expect(existsSync(join(folder, 'web/dist/index.html'))).toBe(true);
      expect(existsSync(join(folder, 'web/dist.new'))).toBe(false);
    });
  });
});

describe('the built dashboard', () => {
  const page = readFileSync(join(root, 'web/dist/index.html'), 'utf8');

  it('has no code and no style of its own in the page, which its policy forbids', () => {
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|data:/);
  });

  it('asks only for files that are there, relative to the page', () => {
    const addresses = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = '']) => address);
    const files = addresses.filter((address) => address.startsWith('./assets/'));
    expect(files).toHaveLength(3);
    expect(files.filter((file) => !existsSync(join(root, 'web/dist', file)))).toEqual([]);
    expect(addresses.filter((address) => !files.includes(address))).toEqual(['openapi.json']);
  });
});

/** Breaks a file while `use` looks at it. */
async function withChange(file: string, use: () => Promise<void> | void): Promise<void> {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, `${text} }{`);
  try {
    await use();
  } finally {
    writeFileSync(file, text);
  }
}
