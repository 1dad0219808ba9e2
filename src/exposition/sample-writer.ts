import { Buffer } from 'node:buffer';
import {
  escapeLabelValue,
  isLegacyLabelName,
  isLegacyMetricName,
  LabelNames,
  type Exemplar,
  type LabelSet,
  type Value,
} from '../metric/index.ts';
import type { ByteWriter } from './byte-writer.ts';
import { escapeName, type EscapingScheme } from './escape-name.ts';

const space = 0x20;
const lineFeed = 0x0a;
const exemplarOpening = Buffer.from(' # {');
const closingBrace = 0x7d;
const comma = 0x2c;

/** A sample's name, ready to be copied: alone, and up to where labels begin. */
export interface SampleName {
  readonly alone: Uint8Array;
  readonly opening: Uint8Array;
}

/** Where the text formats differ at the end of a line: OpenMetrics has seconds and exemplars, Prometheus milliseconds. */
export type LineEnds = 'openmetrics' | 'prometheus';

/** Writes samples, in the syntax that all text formats share. */
export class SampleWriter {
  readonly out: ByteWriter;
  readonly #escaping: EscapingScheme;
  readonly #ends: LineEnds;

  constructor(out: ByteWriter, escaping: EscapingScheme, ends: LineEnds) {
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
      alone: Buffer.from(legacy ? `${escaped} ` : `{${quoted(escaped)}} `),
      opening: Buffer.from(legacy ? `${escaped}{` : `{${quoted(escaped)},`),
    };
  }

  /** `name{labels,extra} value`, to be followed by `end`. `extra` is one more label as bytes, such as `le="1.0"`. */
  sample(name: SampleName, labels: LabelSet, extra: Uint8Array | undefined, value: Value): void {
    this.series(name, labels, extra);
    this.out.value(value);
  }

  /** `name{labels,extra} `: all that stands before a value. */
  series(name: SampleName, labels: LabelSet, extra: Uint8Array | undefined): void {
    const out = this.out;
    const text = labels.text;
    if (extra === undefined && labels.plain && this.#escaping !== 'dots' && text !== '') {
      out.plainSeries(name.opening, text);
    } else if (text === '' && extra === undefined) {
      out.bytes(name.alone);
    } else {
      out.bytes(name.opening);
      if (text !== '') this.#labels(labels);
      if (extra !== undefined) {
        if (text !== '') out.byte(comma);
        out.bytes(extra);
      }
      out.byte(closingBrace);
      out.byte(space);
    }
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
    this.out.byte(lineFeed);
  }

  /** One more number on the line, after a space. */
  number(value: number): void {
    this.out.byte(space);
    this.out.value(value);
  }

  /** An exemplar, with the mark before it. */
  exemplar(exemplar: Exemplar): void {
    this.out.bytes(exemplarOpening);
    this.#labels(exemplar.labels);
    this.out.byte(closingBrace);
    this.number(exemplar.value);
    if (exemplar.timestamp !== undefined) this.number(exemplar.timestamp);
  }

  /** Labels without braces. */
  #labels(labels: LabelSet): void {
    if (labels.plain && this.#escaping !== 'dots') this.out.ascii(labels.text);
    else this.out.utf8(this.#escaped(labels).text);
  }

  /** One label as bytes, for `extra`. */
  label(name: string, value: string): Uint8Array {
    const escaped = escapeName(name, this.#escaping, false);
    return Buffer.from(`${isLegacyLabelName(escaped) ? escaped : quoted(escaped)}="${escapeLabelValue(value)}"`);
  }

  #escaped(labels: LabelSet): LabelSet {
    const names = labels.names.map((name) => escapeName(name, this.#escaping, false));
    if (names.every((name, index) => name === labels.names[index])) return labels;
    return new LabelNames(names).of(labels.values);
  }
}

function quoted(name: string): string {
  return `"${escapeLabelValue(name)}"`;
}
