import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cruise } from '../layers/cruise.ts';
import { commandsText } from './commands.ts';
import { configurationTable } from './configuration.ts';
import { layerGraph } from './graph.ts';
import { exposedFamilies, withHelp } from './metrics.ts';
import { movedPages } from './moved.ts';
import { readTextFiles } from '../tidy/files.ts';
import { errorsPage, limitsPage } from './tables.ts';
import { wrapMarkdown } from './wrap.ts';

/** A page and its text as it must be. The code determines some pages, or a part between two marks. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

/** Every page, from the sources below `root`: some are generated, and all have their prose filled to one width. */
export async function generatePages(root: string): Promise<Page[]> {
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  const filled = (path: string, name: string, content: string) => ({ path, text: between(read(path), name, content) });
  const { modules } = await cruise(root);
  const picture = `\`\`\`mermaid\n${layerGraph(modules)}\n\`\`\``;
  const generated = [
    { path: 'docs/reference/errors.md', text: errorsPage() },
    { path: 'docs/reference/limits.md', text: limitsPage(read('src/base/limits.ts')) },
    filled('docs/reference/cli.md', 'commands', commandsText()),
    filled('docs/reference/configuration.md', 'keys', configurationTable()),
    { path: 'docs/reference/metrics.md', text: withHelp(read('docs/reference/metrics.md'), await exposedFamilies()) },
    filled('docs/architecture.md', 'layers', picture),
    ...movedPages(),
  ];
  const paths = new Set(generated.map(({ path }) => path));
  const written = readTextFiles(root).filter(({ path }) => path.endsWith('.md') && !paths.has(path));
  return [...generated, ...written.map(({ path, lines }) => ({ path, text: lines.join('\n') }))].map(
    ({ path, text }) => ({
      path,
      text: wrapMarkdown(text),
    }),
  );
}

/**
 * Replaces the text between the marks of that name. Throws if the marks are missing: a page without marks would never change,
 * and would always pass.
 */
export function between(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name}: written by npm run docs -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`expected the marks ${start} and ${end}, in this order`);
  return `${text.slice(0, from + start.length)}\n\n${content}\n\n${text.slice(to)}`;
}
