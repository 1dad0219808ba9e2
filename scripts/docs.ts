/** `npm run docs` generates pages from the code and fills the prose of all pages; `--check` names those that are not current. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatePages } from './docs/pages.ts';
import { root } from './test/tools.ts';

const check = process.argv.includes('--check');
const pages = await generatePages(root);
const stale = pages.filter(({ path, text }) => {
  const file = join(root, path);
  return !existsSync(file) || readFileSync(file, 'utf8') !== text;
});

for (const { path, text } of stale) {
  if (!check) writeFileSync(join(root, path), text);
  process.stdout.write(`${path}${check ? ' is not what npm run docs writes' : ' written'}\n`);
}
process.exitCode = check && stale.length > 0 ? 1 : 0;
