import type { SourceFile } from './files.ts';
import { brokenLinks } from './links.ts';
import { brokenPaths } from './paths.ts';

/** One thing that is not tidy. */
export interface Finding {
  readonly path: string;
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

/** A pattern that no line may match, and the message about it. */
interface LineRule {
  readonly pattern: RegExp;
  readonly message: string;
  /** Applies to Markdown only. Default: to every file. */
  readonly prose?: true;
}

/**
 * Rules that the linter cannot check, because it reads code only. The patterns do not match themselves.
 */
const lineRules: readonly LineRule[] = [
  { pattern: /\b(TO{1}DO|FIX{1}ME|X{3})\b/, message: 'a leftover note: do it, or leave it out' },
  {
    pattern: /(?<![\w./:}-])\/(?:work|tmp|home|root)\/|[.]library\b/,
    message: 'a path of one machine: take it from os.tmpdir(), or leave it out',
  },
  {
    pattern: /registry[.]npmjs|registry[.]yarnpkg|pypi[.]org|files[.]pythonhosted|deb[.]debian[.]org|proxy[.]golang/,
    message: 'the host of a package collection: installations choose their own',
  },
  { pattern: /\b(ox|es)lint-disable(?!.* -- \S)/, message: 'a disabled rule without its reason (` -- why`)' },
  { pattern: /@ts-expect-error\s*(\*\/)?$/, message: 'an expected compiler error without its reason' },
  { pattern: /[ \t]+$/, message: 'spaces at the end of the line' },
  {
    pattern: /\bnpx (?!--no -- )tonnage/,
    message: 'npx may download a package of this name that is not ours: write bin/tonnage.js or npx --no -- tonnage',
  },
  {
    pattern: /(?<![-\w])(some[b]ody|no[b]ody|who[e]ver|be[s]ide|stand[s](?! for))(?![-\w])/i,
    message: 'a word that hides the actor: name the client, the caller, the file...',
    prose: true,
  },
  {
    pattern:
      /\b(behavio[r]|colo[r]|favo[r]|(organ|recogn|normal|optim|summar|serial|initial|minim)iz(e|ing|ation)\b|cancele[d])/,
    message: 'American spelling: the project writes British English',
    prose: true,
  },
];

/** Everything that is not tidy in these files, in their order. */
export function findUntidy(files: readonly SourceFile[]): Finding[] {
  const paths = new Set(files.map(({ path }) => path));
  const broken = [...brokenLinks(files, paths), ...brokenPaths(files, paths)];
  return [...files.flatMap(untidyLines), ...broken, ...driversWithoutTest(paths)];
}

function untidyLines({ path, lines }: SourceFile): Finding[] {
  // The test of the rules plants breaches.
  if (path.startsWith('test/rules/')) return [];
  return lines.flatMap((line, index) =>
    lineRules
      .filter(({ pattern, prose }) => pattern.test(line) && (prose === undefined || path.endsWith('.md')))
      .map(({ message }) => ({ path, line: index + 1, message: `${message}: ${line.trim().slice(0, 100)}` })),
  );
}

/**
 * A driver is a file in `drivers/`, a folder there, or a file with a folder of the same name. It needs a test next to it or in
 * its folder, which calls the contract's suite.
 */
function driversWithoutTest(paths: ReadonlySet<string>): Finding[] {
  const files = [...paths].filter((path) => /^src\/.+\/drivers\/.+[.]ts$/.test(path));
  const tested = new Set(files.filter((path) => path.endsWith('.test.ts')).map(driverOf));
  const drivers = new Set(files.filter((path) => !path.endsWith('.test.ts')).map(driverOf));
  return [...drivers]
    .filter((driver) => !tested.has(driver))
    .map((path) => ({ path, line: 1, message: 'a driver without a test next to it' }));
}

/** `src/x/drivers/name` of every file that belongs to that driver. */
function driverOf(path: string): string {
  return /^src\/.+?\/drivers\/[^/.]+/.exec(path)?.[0] ?? path;
}
