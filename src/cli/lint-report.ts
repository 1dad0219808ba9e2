import { limits } from '../base/index.ts';
import { parse, ParseError, type ParsedFamily } from '../exposition/index.ts';
import { lint } from '../metric/index.ts';
import type { LintInput } from './lint-input.ts';

export type LintFormat = 'openmetrics' | 'text';

export interface LintOptions {
  /** Absent: what the input itself says. */
  readonly format?: LintFormat;
  /** Leaves the naming rules out. */
  readonly parseOnly: boolean;
}

/** One thing that is wrong with an input; line and column count from 1. */
export interface LintProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface LintReport {
  /** Why the input fails; empty when it is good. */
  readonly problems: readonly LintProblem[];
  /** Breaches of OpenMetrics that readers let pass. */
  readonly warnings: readonly LintProblem[];
}

/**
 * Checks an exposition. Problems: where it is not valid, the first such place; else each breach of a naming rule, from top to
 * bottom.
 */
export function lintReport(input: LintInput, options: LintOptions): LintReport {
  const warnings: LintProblem[] = [];
  let families: readonly ParsedFamily[];
  try {
    families = parse(input.bytes, {
      format: options.format ?? formatOf(input),
      onWarning: (line, column, message) => warnings.push({ line, column, message }),
    });
  } catch (thrown) {
    if (!(thrown instanceof ParseError)) throw thrown;
    return { problems: [{ line: thrown.line, column: thrown.column, message: thrown.reason }], warnings };
  }
  if (options.parseOnly) return { problems: [], warnings: [] };
  const problems = lint(families).map(({ family, message }) => ({
    line: family.line,
    column: 1,
    message: `${family.name}: ${message}`,
  }));
  return { problems, warnings };
}

/**
 * The format that an input is in: what its server called it, else what it looks like. OpenMetrics ends with `# EOF`, which
 * is a comment in Prometheus text that nobody writes.
 */
export function formatOf({ bytes, contentType = '' }: LintInput): LintFormat {
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType === 'application/openmetrics-text') return 'openmetrics';
  if (mediaType === 'text/plain') return 'text';
  return /^# EOF\s*$/m.test(Buffer.from(bytes).toString('latin1')) ? 'openmetrics' : 'text';
}

/** The line that tells about an input: `NAME: ok`, or `NAME:LINE:COLUMN: MESSAGE` with further problems behind the first. */
export function reportLine(name: string, problems: readonly LintProblem[]): string {
  const [first, ...others] = problems.slice(0, limits.lintProblemsMax);
  if (first === undefined) return `${oneLine(name)}: ok\n`;
  const more = problems.length - others.length - 1;
  const parts = [
    `${name}:${first.line}:${first.column}: ${first.message}`,
    ...others.map(({ line, column, message }) => `${line}:${column}: ${message}`),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
  return `${oneLine(parts.join('; '))}\n`;
}

/** Without control characters: what comes from an input must neither begin a line nor command the terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (char) => `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`);
}
