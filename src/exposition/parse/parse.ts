import { FamilyNames } from '../../metric/index.ts';
import { checkPoints, checkSamples } from './check-family.ts';
import { decodeUtf8 } from './decode-utf8.ts';
import { openMetricsDialect, prometheusDialect, type Dialect, type Warn } from './dialect.ts';
import { FamilyDraft } from './family-draft.ts';
import { familyOf, type ParsedFamily } from './family-of.ts';
import { parseMetadata } from './metadata-line.ts';
import { ParseError } from './parse-error.ts';
import { groupPoints } from './point-groups.ts';
import { parseSample } from './sample-line.ts';

interface ParseOptions {
  /** `openmetrics`: OpenMetrics text 1.0. `text`: Prometheus text 0.0.4 (and 1.0.0). */
  readonly format: 'openmetrics' | 'text';
  /** Accept comments, blank lines, extra spaces, a missing end mark and impossible values. Default: false. */
  readonly lenient?: boolean;
  /** Receives each violation of OpenMetrics that its reference parser, and therefore this one, accepts. */
  readonly onWarning?: Warn;
}

/**
 * Parses an exposition. Returns its families in the order of the text. Throws `ParseError` at the first violation.
 * OpenMetrics is valid if its reference parser, that of the Python client, accepts it. Of samples that repeat a series
 * at one time, only the first one counts.
 */
export function parse(input: string | Uint8Array, options: ParseOptions): ParsedFamily[] {
  const strict = options.lenient !== true;
  const warn: Warn = (...warning) => options.onWarning?.(...warning);
  const dialect = options.format === 'openmetrics' ? openMetricsDialect(strict, warn) : prometheusDialect(strict, warn);
  const text = typeof input === 'string' ? input : decodeUtf8(input);
  return new ExpositionReader(dialect).read(text);
}

/** Reads lines and collects them into families. */
class ExpositionReader {
  readonly #dialect: Dialect;
  readonly #drafts = new Map<string, FamilyDraft>();
  readonly #names = new FamilyNames();
  readonly #families: ParsedFamily[] = [];
  #draft: FamilyDraft | undefined;
  #ended = false;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  read(text: string): ParsedFamily[] {
    let line = 0;
    let start = 0;
    while (start < text.length) {
      line++;
      const end = text.indexOf('\n', start);
      this.#line(text.slice(start, end < 0 ? undefined : end), line);
      start = end < 0 ? text.length : end + 1;
    }
    this.#end(text, line);
    for (const draft of this.#dialect.rules ? [] : this.#drafts.values())
      this.#families.push(familyOf(draft, groupPoints(draft, this.#dialect), this.#dialect));
    return this.#families;
  }

  #line(raw: string, line: number): void {
    const { rules, openMetrics } = this.#dialect;
    const text = rules ? raw : raw.replace(/\r$/, '');
    if (this.#ended && rules) throw new ParseError(line, 1, 'text after # EOF');
    if (rules && openMetrics && text.endsWith('\r')) {
      const reason = 'a carriage return at the end of the line';
      if (!text.startsWith('# HELP ')) throw new ParseError(line, text.length, reason);
      this.#dialect.warn(line, text.length, `${reason}, which becomes part of the HELP text`);
    }
    if (text.trim() === '') {
      if (rules && openMetrics) throw new ParseError(line, 1, 'a blank line');
      return;
    }
    if (text.trimStart().startsWith('#')) this.#metadata(text, line);
    else this.#sample(text, line);
  }

  #metadata(text: string, line: number): void {
    const metadata = parseMetadata(text, line, this.#dialect);
    if (metadata.kind === 'eof') this.#ended = true;
    if (metadata.kind === 'eof' || metadata.kind === 'comment') return;
    if (this.#draft?.name !== metadata.name) this.#begin(metadata.name, line);
    this.#draft?.describe(line, metadata);
  }

  #sample(text: string, line: number): void {
    const sample = parseSample(text, line, this.#dialect);
    if (this.#draft?.takes(sample.name) !== true) this.#begin(sample.name, line);
    this.#draft?.samples.push(sample);
  }

  /** Begins a family, or with lenient parsing continues an earlier one. */
  #begin(name: string, line: number): void {
    this.#close();
    if (!this.#dialect.rules) {
      const known = this.#drafts.get(name) ?? [...this.#drafts.values()].find((draft) => draft.takes(name));
      this.#draft = known ?? new FamilyDraft(name, line, this.#dialect);
      if (known === undefined) this.#drafts.set(name, this.#draft);
      return;
    }
    if (this.#drafts.has(name))
      throw new ParseError(line, 1, `the family ${name} occurs twice: its lines must be contiguous`);
    this.#draft = new FamilyDraft(name, line, this.#dialect);
    this.#drafts.set(name, this.#draft);
  }

  /** Finishes the current family and, with rules, checks it. */
  #close(): void {
    const draft = this.#draft;
    this.#draft = undefined;
    if (draft === undefined || !this.#dialect.rules) return;
    if (this.#dialect.openMetrics) {
      const clash = this.#names.clash(draft);
      if (clash !== undefined) throw new ParseError(draft.line, 1, `${draft.type} ${draft.name}: ${clash}`);
      this.#names.claim(draft);
    }
    checkSamples(draft, this.#dialect);
    const groups = groupPoints(draft, this.#dialect);
    checkPoints(draft, groups, this.#dialect);
    this.#families.push(familyOf(draft, groups, this.#dialect));
    draft.samples.length = 0;
  }

  #end(text: string, line: number): void {
    this.#close();
    if (!this.#dialect.rules) return;
    if (this.#dialect.openMetrics && !this.#ended) throw new ParseError(line + 1, 1, 'expected # EOF at the end');
    if (!this.#dialect.openMetrics && text !== '' && !text.endsWith('\n')) {
      throw new ParseError(line, 1, 'expected a line feed at the end of the last line');
    }
  }
}
