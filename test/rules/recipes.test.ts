import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../scripts/test/tools.ts';

/** Each recipe of CONTRIBUTING.md: its title and the items of its list. The check `tidy` resolves the paths in them. */
const recipes = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')
  .split(/^### /m)
  .slice(1)
  .map(
    (section) =>
      [section.split('\n')[0] ?? '', [...section.matchAll(/^\d+\. (.*)$/gm)].map(([, item]) => item)] as const,
  );

it('CONTRIBUTING.md has a recipe for each of the six things', () => {
  const things = ['configuration key', 'metric', 'command', 'collector', 'store', 'authenticator'];
  expect(recipes.map(([title]) => title.replace(/^Add an? /, ''))).toEqual(things);
});

it.each(recipes)('%s: a list of at least three files, a test among them', (_, items) => {
  expect(items.length).toBeGreaterThanOrEqual(3);
  for (const item of items) expect(item).toMatch(/^`(src|docs)\/[\w./-]+` /);
  expect(items.join()).toContain('.test.ts');
});
