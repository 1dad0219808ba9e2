import {
  escapeLabelValue,
  isLegacyLabelName,
  isLegacyMetricName,
  LabelNames,
  type Exemplar,
  type LabelSet,
  type Value,
} from '../metric/index.ts';
import { escapeName, type EscapingScheme } from './escape-name.ts';
import type { TextWriter } from './text-writer.ts';

/** The text of a sample's name: for a sample without labels, and up to where labels begin. */
export interface SampleName {
  readonly alone: string;
  readonly opening: string;
}

/** The end of a line: OpenMetrics has exemplars and timestamps in seconds, Prometheus timestamps in milliseconds. */
type LineEnds = 'openmetrics' | 'prometheus';

/** Writes samples in the syntax of all text formats. */
export class SampleWriter {
  readonly out: TextWriter;
  readonly #escaping: EscapingScheme;
  readonly #ends: LineEnds;

  constructor(out: TextWriter, escaping: EscapingScheme, ends: LineEnds) {
    this.out = out;
    this.#escaping = escaping;
    this.#ends = ends;
  }

  /** A family's name for metadata lines: escaped, and quoted if necessary. */
  familyName(name: string): string {
    const escaped = escapeName(name, this.#escaping, true);
    return isLegacyMetricName(escaped) ? escaped : quoted(escaped);
  }

  /** The name of a family's samples. A name that needs quotes is inside the braces. */
  name(familyName: string, suffix: string): SampleName {
    const escaped = escapeName(familyName, this.#escaping, true) + suffix;
    const legacy = isLegacyMetricName(escaped);
    return {
      alone: legacy ? `${escaped} ` : `{${quoted(escaped)}} `,
      opening: legacy ? `${escaped}{` : `{${quoted(escaped)},`,
    };
  }

  /** Writes `name{labels,extra} value`. The caller then calls `end`. `extra` is one more label, such as `le="1.0"`. */
  sample(name: SampleName, labels: LabelSet, extra: string | undefined, value: Value): void {
    this.series(name, labels, extra);
    this.out.value(value);
  }

  /** Writes the most frequent kind of line: a sample without timestamp and exemplar. */
  line(name: SampleName, labels: LabelSet, value: Value): void {
    const { closed } = this.#escaped(labels);
    if (closed === '' || value === Infinity || value === -Infinity) {
      this.sample(name, labels, undefined, value);
      this.newline();
    } else {
      // One concatenation is faster than several: each creates a string object.
      this.out.text(`${name.opening}${closed}${value}\n`);
    }
  }

  /** Writes `name{labels,extra} `, the part before the value. */
  series(name: SampleName, labels: LabelSet, extra: string | undefined): void {
    const escaped = this.#escaped(labels);
    if (escaped.closed === '') this.out.text(extra === undefined ? name.alone : `${name.opening}${extra}} `);
    else if (extra === undefined) this.out.text(name.opening + escaped.closed);
    else this.out.text(`${name.opening}${escaped.text},${extra}} `);
  }

  /** Ends a sample's line. `timestamp` is in Unix seconds. Exemplars are written for OpenMetrics only. */
  end(timestamp?: number, exemplar?: Exemplar): void {
    if (this.#ends === 'openmetrics') {
      if (timestamp !== undefined) this.number(timestamp);
      if (exemplar !== undefined) this.exemplar(exemplar);
    } else if (timestamp !== undefined) {
      this.number(Math.round(timestamp * 1000));
    }
    this.newline();
  }

  newline(): void {
    this.out.text('\n');
  }

  /** Writes a space and a number. */
  number(value: number): void {
    this.out.text(' ');
    this.out.value(value);
  }

  /** Writes an exemplar with its leading ` # `. */
  exemplar(exemplar: Exemplar): void {
    this.out.text(` # {${this.#escaped(exemplar.labels).text}}`);
    this.number(exemplar.value);
    if (exemplar.timestamp !== undefined) this.number(exemplar.timestamp);
  }

  /** Formats one label for `extra`. */
  label(name: string, value: string): string {
    const escaped = escapeName(name, this.#escaping, false);
    return `${isLegacyLabelName(escaped) ? escaped : quoted(escaped)}="${escapeLabelValue(value)}"`;
  }

  /** The labels with their names escaped for this format. */
  #escaped(labels: LabelSet): LabelSet {
    if (labels.plain && this.#escaping !== 'dots') return labels;
    const names = labels.names.map((name) => escapeName(name, this.#escaping, false));
    if (names.every((name, index) => name === labels.names[index])) return labels;
    return new LabelNames(names).of(labels.values);
  }
}

function quoted(name: string): string {
  return `"${escapeLabelValue(name)}"`;
}
