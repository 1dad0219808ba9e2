import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { layerGraph } from '../../scripts/docs/graph.ts';
import { withHelp } from '../../scripts/docs/metrics.ts';
import { between, generatePages } from '../../scripts/docs/pages.ts';
import { limitComments, limitValue } from '../../scripts/docs/tables.ts';
import { wrapMarkdown } from '../../scripts/docs/wrap.ts';
import { root } from '../../scripts/test/tools.ts';
import { errorTable, limits } from '../../src/base/index.ts';

describe('the generated pages', () => {
  it('are what the code says now', async () => {
    for (const { path, text } of await generatePages(root)) {
      expect(readFileSync(join(root, path), 'utf8'), `${path}: npm run docs`).toBe(text);
    }
  });

  it.each([
    ['docs/reference/errors.md', Object.keys(errorTable)],
    ['docs/reference/limits.md', Object.keys(limits)],
  ])('%s names each entry of its table once, and no other', (path, names) => {
    const page = readFileSync(join(root, path), 'utf8');
    expect([...page.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name)).toEqual(names);
  });
});

describe('the prose of a page', () => {
  const long = 'word '.repeat(30).trim();
  const filled = `${'word '.repeat(24).trim()}\n${'word '.repeat(6).trim()}`;

  it('is filled to 120 columns, however its lines were broken', () => {
    expect(wrapMarkdown(`${long}\n`)).toBe(`${filled}\n`);
    expect(wrapMarkdown(`${long.replaceAll(' ', '\n')}\n`)).toBe(`${filled}\n`);
    expect(wrapMarkdown(`${filled}\n`)).toBe(`${filled}\n`);
  });

  it('is filled within list items and their continuations', () => {
    const wrapped = wrapMarkdown(`- ${long}\n- next\n\n  1. ${long}\n`);
    expect(wrapped.split('\n').map((line) => line.slice(0, 9))).toEqual([
      '- word wo',
      '  word wo',
      '- next',
      '',
      '  1. word',
      '     word',
      '',
    ]);
  });

  it('keeps code spans and links whole, and starts no line with a mark of a list', () => {
    const start = 'x'.repeat(116);
    expect(wrapMarkdown(`${start} \`a b\` [c d](e) end`)).toBe(`${start}\n\`a b\` [c d](e) end`);
    expect(wrapMarkdown(`${start}xxx - y`)).toBe(`${start}xxx -\ny`);
  });

  it.each([`# ${long}`, `| ${long} |`, `<!-- ${long} -->`, `\`\`\`text\n${long}\n\`\`\``])(
    'leaves as it is: %s',
    (text) => {
      expect(wrapMarkdown(text)).toBe(text);
    },
  );
});

describe('a page that has moved', () => {
  const published =
    'cli collectors configuration errors events exposition gateway identity ledger limits metrics operations redis tokens usage-api wave';

  it.each(published.split(' '))('docs/%s.md links to a page of the same name in one of the three parts', (name) => {
    const [, target = ''] = /\]\(([^)]+)\)/.exec(readFileSync(join(root, 'docs', `${name}.md`), 'utf8')) ?? [];
    expect(target).toMatch(new RegExp(`^(guides|operations|reference)/${name}[.]md$`));
    expect(readFileSync(join(root, 'docs', target), 'utf8')).toMatch(/^# /);
  });
});

describe('the page of metrics', () => {
  it('takes type and help from the families, and leaves labels and other rows as they are', () => {
    const rows = [
      '| `a_total` | gauge | `org` | Old. |',
      '| `c_total` | counter | | `x` | Of no family here. |',
      '| `b` | gauge | | B. |',
    ];
    const page = withHelp(rows.join('\n'), [{ name: 'a', type: 'counter', help: 'New | x.', points: [] }]);
    expect(page.split('\n')).toEqual(['| `a_total` | counter | `org` | New \\| x. |', ...rows.slice(1)]);
  });
});

it('docs/README.md links to every page of the three parts', () => {
  const index = readFileSync(join(root, 'docs/README.md'), 'utf8');
  const linked = [...index.matchAll(/\]\(((?:guides|reference|operations)\/[^)#]+)\)/g)].map(([, page]) => page);
  const pages = ['guides', 'reference', 'operations'].flatMap((part) =>
    readdirSync(join(root, 'docs', part)).map((name) => `${part}/${name}`),
  );
  expect(new Set(linked)).toEqual(new Set(pages));
});

describe('a limit', () => {
  it('is described by its doc comment, put on one line', () => {
    const source = 'const limits = {\n  /** One. */\n  a: 1,\n  /**\n   * Two\n   * lines, a | b.\n   */\n  b: 2,\n};';
    expect([...limitComments(source)]).toEqual([
      ['a', 'One.'],
      ['b', 'Two lines, a \\| b.'],
    ]);
  });

  it.each([
    ['bodyBytesMax', 1024, '1 KiB'],
    ['bodyBytesMax', 1_500, '1,500 bytes'],
    ['cacheBytesMax', 3 * 2 ** 30, '3 GiB'],
    ['waitMsMax', 250, '250 ms'],
    ['waitMsMax', 90_000, '90 s'],
    ['memoryMs', 300_000, '5 min'],
    ['rowsMax', 10_000, '10,000'],
  ])('%s of %d reads %s', (name, value, text) => {
    expect(limitValue(name, value)).toBe(text);
  });
});

describe('the picture of the layers', () => {
  const module = (source: string, ...imports: [string, ...string[]][]) => ({
    source,
    dependencies: imports.map(([resolved, ...dependencyTypes]) => ({ resolved, dependencyTypes })),
  });

  it('shows folders, with drivers apart, and dotted arrows for types', () => {
    const graph = layerGraph([
      module('src/app.ts', ['src/store/drivers/sqlite.ts', 'local']),
      module('src/store/drivers/sqlite.ts', ['src/store/index.ts', 'type-only'], ['node_modules/pg/index.js', 'npm']),
      module('src/store/index.ts', ['src/store/contract.ts', 'local'], ['src/base/index.ts', 'type-only']),
      module('src/store/other.ts', ['src/base/index.ts', 'local']),
      module('src/store/a.test.ts', ['src/http/index.ts', 'local']),
    ]);
    expect(graph.split('\n').filter((line) => line.includes('>'))).toEqual([
      '  app_ts --> store_drivers',
      '  store --> base',
      '  store_drivers -.-> store',
    ]);
  });

  it('leaves out an arrow that follows from others, but not a real import that follows from types', () => {
    const chain = [module('src/a/x.ts', ['src/b/x.ts', 'local'], ['src/c/x.ts', 'local'])];
    const arrows = (last: string) =>
      layerGraph([...chain, module('src/b/x.ts', ['src/c/x.ts', last])])
        .split('\n')
        .filter((line) => line.includes('>'));
    expect(arrows('local')).toEqual(['  a --> b', '  b --> c']);
    expect(arrows('type-only')).toEqual(['  a --> b', '  a --> c', '  b -.-> c']);
  });

  it('goes between its marks, which must be there', () => {
    const page = 'before\n<!-- x: written by npm run docs -->\nold\n<!-- /x -->\nafter';
    expect(between(page, 'x', 'new')).toBe('before\n<!-- x: written by npm run docs -->\n\nnew\n\n<!-- /x -->\nafter');
    expect(() => between('no marks', 'x', 'new')).toThrow('expected the marks');
  });
});
