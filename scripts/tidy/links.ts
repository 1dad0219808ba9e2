import type { SourceFile } from './files.ts';
import type { Finding } from './rules.ts';

/** Links and pictures of Markdown, `[text](target)`. Targets with a scheme are external and not checked. */
const link = /\]\(([^()\s]+)\)/g;

/** Links to a file that does not exist in the checkout, or to a heading that does not exist in the file. */
export function brokenLinks(files: readonly SourceFile[], paths: ReadonlySet<string>): Finding[] {
  const headings = new Map(files.filter(isMarkdown).map((file) => [file.path, anchorsOf(file)]));
  return files.filter(isMarkdown).flatMap(({ path, lines }) =>
    lines.flatMap((line, index) =>
      [...line.matchAll(link)].flatMap(([, target = '']) => {
        if (/^[a-z][a-z0-9+.-]*:/.test(target)) return [];
        const [file = '', anchor] = target.split('#');
        const to = file === '' ? path : resolve(path, file);
        const missing = !paths.has(to) ? 'no such file' : anchorIsMissing(headings.get(to), anchor);
        return missing === undefined ? [] : [{ path, line: index + 1, message: `link to ${target}: ${missing}` }];
      }),
    ),
  );
}

function isMarkdown({ path }: SourceFile): boolean {
  return path.endsWith('.md');
}

function anchorIsMissing(anchors: ReadonlySet<string> | undefined, anchor: string | undefined): string | undefined {
  return anchor === undefined || anchors?.has(anchor) === true ? undefined : 'no such heading';
}

/** The anchors that a forge gives to headings: lower case, words joined by dashes, other signs left out. */
function anchorsOf({ lines }: SourceFile): ReadonlySet<string> {
  const titles = lines.filter((line) => /^#{1,6} /.test(line)).map((line) => line.replace(/^#+ /, ''));
  const anchors = titles.map((title) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set(anchors);
}

/** A path as written in the file `from`, relative to the root. Links name files, never folders. */
function resolve(from: string, target: string): string {
  return new URL(target, `file:///${from}`).pathname.slice(1);
}
