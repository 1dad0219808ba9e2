import { limits } from '../base/index.ts';
import { parse, ParseError, type ParsedFamily } from '../exposition/index.ts';
import { lint } from '../metric/index.ts';
import type { LintInput } from './lint-input.ts';

export type LintFormat = 'openmetrics' | 'text';

interface LintOptions {
  /** Default: detected from the input. */
  readonly format?: LintFormat;
  /** Skip the naming rules. */
  readonly parseOnly: boolean;
}

/** One problem of an input. Line and column count from 1. */
interface LintProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface LintReport {
  /** Empty if the input is valid. */
  readonly problems: readonly LintProblem[];
  /** Violations of OpenMetrics that the reference parser accepts. */
  readonly warnings: readonly LintProblem[];
}

/** Checks an exposition. The problems are the first syntax error, or else all violations of naming rules in order. */
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

/** The format of an input: by Content-Type, or otherwise by its content. OpenMetrics ends with `# EOF`. */
export function formatOf({ bytes, contentType = '' }: LintInput): LintFormat {
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType === 'application/openmetrics-text') return 'openmetrics';
  if (mediaType === 'text/plain') return 'text';
  return /^# EOF\s*$/m.test(Buffer.from(bytes).toString('latin1')) ? 'openmetrics' : 'text';
}

/** The output line of an input: `NAME: ok`, or `NAME:LINE:COLUMN: MESSAGE` followed by further problems. */
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

/** Escapes control characters, so that an input can neither start a line nor control the terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (char) => `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`);
}
