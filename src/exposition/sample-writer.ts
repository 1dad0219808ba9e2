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

/** A sample's name, ready to be written: alone, and up to where labels begin. */
export interface SampleName {
  readonly alone: string;
  readonly opening: string;
}

/** Where the text formats differ at the end of a line: OpenMetrics has seconds and exemplars, Prometheus milliseconds. */
export type LineEnds = 'openmetrics' | 'prometheus';

/** Writes samples, in the syntax that all text formats share. */
export class SampleWriter {
  readonly out: TextWriter;
  readonly #escaping: EscapingScheme;
  readonly #ends: LineEnds;

  constructor(out: TextWriter, escaping: EscapingScheme, ends: LineEnds) {
    this.out = out;
    this.#escaping = escaping;
    this.#ends = ends;
  }

  /** A family's name as it stands after `# TYPE`: escaped, and quoted if it still needs it. */
  familyName(name: string): string {
    const escaped = escapeName(name, this.#escaping, true);
    return isLegacyMetricName(escaped) ? escaped : quoted(escaped);
  }

  /** The name of a family's samples. One that needs quotes stands within the braces. */
  name(familyName: string, suffix: string): SampleName {
    const escaped = escapeName(familyName, this.#escaping, true) + suffix;
    const legacy = isLegacyMetricName(escaped);
    return {
      alone: legacy ? `${escaped} ` : `{${quoted(escaped)}} `,
      opening: legacy ? `${escaped}{` : `{${quoted(escaped)},`,
    };
  }

  /** `name{labels,extra} value`, to be followed by `end`. `extra` is one more label, such as `le="1.0"`. */
  sample(name: SampleName, labels: LabelSet, extra: string | undefined, value: Value): void {
    this.series(name, labels, extra);
    this.out.value(value);
  }

  /** A whole line of what most of an exposition is made of: a sample with nothing behind its value. */
  line(name: SampleName, labels: LabelSet, value: Value): void {
    const { closed } = this.#shown(labels);
    if (closed === '' || value === Infinity || value === -Infinity) {
      this.sample(name, labels, undefined, value);
      this.newline();
    } else {
      // In one step: each string that is joined on its own costs an object.
      this.out.text(`${name.opening}${closed}${value}\n`);
    }
  }

  /** `name{labels,extra} `: all that stands before a value. */
  series(name: SampleName, labels: LabelSet, extra: string | undefined): void {
    const shown = this.#shown(labels);
    if (shown.closed === '') this.out.text(extra === undefined ? name.alone : `${name.opening}${extra}} `);
    else if (extra === undefined) this.out.text(name.opening + shown.closed);
    else this.out.text(`${name.opening}${shown.text},${extra}} `);
  }

  /** The end of a sample's line. `timestamp` is in Unix seconds; exemplars are for OpenMetrics only. */
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

  /** One more number on the line, after a space. */
  number(value: number): void {
    this.out.text(' ');
    this.out.value(value);
  }

  /** An exemplar, with the mark before it. */
  exemplar(exemplar: Exemplar): void {
    this.out.text(` # {${this.#shown(exemplar.labels).text}}`);
    this.number(exemplar.value);
    if (exemplar.timestamp !== undefined) this.number(exemplar.timestamp);
  }

  /** One label, for `extra`. */
  label(name: string, value: string): string {
    const escaped = escapeName(name, this.#escaping, false);
    return `${isLegacyLabelName(escaped) ? escaped : quoted(escaped)}="${escapeLabelValue(value)}"`;
  }

  /** The labels as this format shows their names. */
  #shown(labels: LabelSet): LabelSet {
    if (labels.plain && this.#escaping !== 'dots') return labels;
    const names = labels.names.map((name) => escapeName(name, this.#escaping, false));
    if (names.every((name, index) => name === labels.names[index])) return labels;
    return new LabelNames(names).of(labels.values);
  }
}

function quoted(name: string): string {
  return `"${escapeLabelValue(name)}"`;
}
