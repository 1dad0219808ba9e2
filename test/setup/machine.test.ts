import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseNode, isNewEnough, pinnedNodePath, pinnedNodeRuns } from '../../scripts/setup/node.mjs';
import { withoutServices } from '../../scripts/setup/services.mjs';
import { findAll, releaseFolders, systemPackages } from '../../scripts/setup/system.mjs';
import { root } from '../../scripts/test/tools.ts';
import { withTree } from '../support/tree.ts';

describe('the Node.js that runs the project', () => {
  it.each([
    ['26.10.0', '3.53.0', true],
    ['24.0.0', '3.51.3', true],
    ['24.16.0', '3.51.2', false],
    ['24.16.0', '3.9.9', false],
    ['24.16.0', undefined, false],
    ['23.11.0', '3.53.0', false],
    ['20.0.0', undefined, false],
    ['100.0.0', '4.0.0', true],
  ])('may be %s with SQLite %s: %s', (node, sqlite, expected) => {
    expect(isNewEnough({ node, sqlite })).toBe(expected);
  });

  it('is the pinned one where that runs', () => {
    expect(pinnedNodeRuns(root)).toBe(pinnedNodePath(root) !== undefined);
    expect(chooseNode(root, true)).toBe(pinnedNodePath(root) ?? process.execPath);
  });

  it('is not a pinned one that does not start, or is another version', async () => {
    const path = pinnedNodePath('');
    if (path === undefined) return;
    for (const script of ['not a program', '#!/bin/sh\necho 1.2.3\n']) {
      await withTree({ 'package.json': readFileSync(join(root, 'package.json'), 'utf8'), [path]: script }, (folder) => {
        expect(pinnedNodeRuns(folder)).toBe(false);
      });
    }
  });
});

describe('services during an apt installation', () => {
  it('are forbidden while it runs, and as before afterwards', async () => {
    await withTree({}, async (folder) => {
      const file = join(folder, 'policy-rc.d');
      await withoutServices(() => {
        expect(readFileSync(file, 'utf8')).toMatch(/^#!\/bin\/sh\n[^]*\nexit 101\n$/);
        return Promise.resolve();
      }, file);
      expect(existsSync(file)).toBe(false);
    });
  });

  it('follow a policy that exists already', async () => {
    await withTree({ 'policy-rc.d': '#!/bin/sh\nexit 0\n' }, async (folder) => {
      const file = join(folder, 'policy-rc.d');
      await withoutServices(() => Promise.resolve(), file);
      expect(readFileSync(file, 'utf8')).toBe('#!/bin/sh\nexit 0\n');
    });
  });

  it('are not forbidden for ever by a setup that was killed', async () => {
    await withTree({}, async (folder) => {
      const file = join(folder, 'policy-rc.d');
      await withoutServices(() => {
        // As a setup would have left it whose process is gone; no process has this number.
        writeFileSync(file, readFileSync(file, 'utf8').replace(/process \d+/, 'process 2147483646'));
        return Promise.resolve();
      }, file);
      expect(existsSync(file)).toBe(true);
      await withoutServices(() => Promise.resolve(), file);
      expect(existsSync(file)).toBe(false);
    });
  });

  it('are forbidden again after a failed installation', async () => {
    await withTree({}, async (folder) => {
      const file = join(folder, 'policy-rc.d');
      await expect(withoutServices(() => Promise.reject(new Error('no network')), file)).rejects.toThrow('no network');
      expect(existsSync(file)).toBe(false);
    });
  });
});

describe('the programs that the tests talk to', () => {
  it.each(systemPackages)('$name is here: $use', ({ command, module }) => {
    expect(findAll(command ?? 'python3'), module).not.toEqual([]);
  });

  it('come from the newest release where a system keeps several', async () => {
    const files = { '9.6/bin/server': '', '15/bin/server': '', '17/bin/server': '', 'common/server': '' };
    await withTree(files, (folder) => {
      const expected = ['17', '15', '9.6'].map((release) => join(folder, release, 'bin'));
      expect(releaseFolders(folder)).toEqual(expected);
    });
    expect(releaseFolders('/no/such/folder')).toEqual([]);
  });
});
