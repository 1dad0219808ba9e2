import { sampleSuffixes, type MetricType } from '../../metric/index.ts';
import type { Dialect } from './dialect.ts';
import type { MetadataLine } from './metadata-line.ts';
import { ParseError } from './parse-error.ts';
import type { ParsedSample } from './sample-line.ts';

/** Sample suffixes that differ in Prometheus text, where a counter's family has the name of its samples. */
const prometheusSuffixes: Readonly<Partial<Record<MetricType, readonly string[]>>> = { counter: [''] };

/** A family while its lines are being read. */
export class FamilyDraft {
  readonly name: string;
  /** The line at which it begins. */
  readonly line: number;
  readonly samples: ParsedSample[] = [];
  readonly #dialect: Dialect;
  #type: MetricType | undefined;
  #help: string | undefined;
  #unit: string | undefined;
  #unitLine = 0;
  #sampleNames: ReadonlySet<string>;

  constructor(name: string, line: number, dialect: Dialect) {
    this.name = name;
    this.line = line;
    this.#dialect = dialect;
    this.#sampleNames = new Set([name]);
  }

  get type(): MetricType {
    return this.#type ?? 'unknown';
  }

  get help(): string {
    return this.#help ?? '';
  }

  get unit(): string {
    return this.#unit ?? '';
  }

  /** The line of its UNIT. */
  get unitLine(): number {
    return this.#unitLine;
  }

  /** Whether a sample of this name belongs to the family. */
  takes(sampleName: string): boolean {
    return this.#sampleNames.has(sampleName);
  }

  /** Adds a TYPE, HELP or UNIT line. Throws `ParseError` for a second one, or one after the samples. */
  describe(line: number, metadata: Extract<MetadataLine, { readonly name: string }>): void {
    const { kind, column } = metadata;
    if (this.#dialect.rules) {
      const known = kind === 'type' ? this.#type : kind === 'help' ? this.#help : this.#unit;
      const keyword = kind.toUpperCase();
      if (known !== undefined) throw new ParseError(line, column, `a second ${keyword} for ${this.name}`);
      if (this.samples.length > 0 && (this.#dialect.openMetrics || kind === 'type')) {
        throw new ParseError(line, column, `${keyword} after the samples of ${this.name}`);
      }
    }
    if (metadata.kind === 'type') this.#setType(metadata.type);
    else if (metadata.kind === 'help') this.#help = metadata.text;
    else this.#setUnit(metadata.text, line);
  }

  #setUnit(unit: string, line: number): void {
    this.#unit = unit;
    this.#unitLine = line;
  }

  #setType(type: MetricType): void {
    this.#type = type;
    const suffixes = (this.#dialect.openMetrics ? undefined : prometheusSuffixes[type]) ?? sampleSuffixes[type];
    this.#sampleNames = new Set(suffixes.map((suffix) => this.name + suffix));
  }
}
