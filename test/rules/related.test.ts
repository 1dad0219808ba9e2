import { describe, expect, it } from 'vitest';
import { relatedFolders } from '../../scripts/test/related.ts';

describe('a change runs all tests that start the changed file as a process', () => {
  it.each([
    ['bin/tonnage.js', ['test/e2e', 'test/setup']],
    ['src/app.ts', ['test/e2e']],
    ['src/cli/serve.ts', ['test/e2e']],
    ['src/http/routes/usage.ts', ['test/e2e']],
    ['src/thread/thread.ts', ['test/e2e']],
    ['scripts/setup/npm.mjs', ['test/setup', 'test/rules']],
    ['docs/errors.md', ['test/rules']],
    ['package.json', ['test/rules']],
    ['src/oci/manifest.ts', []],
    ['web/src/main.ts', []],
  ])('%s: %j', (file, folders) => {
    expect(relatedFolders([file])).toEqual(folders);
  });
});
