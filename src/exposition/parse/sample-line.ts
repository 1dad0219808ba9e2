import type { Value } from '../../metric/index.ts';
import type { Dialect } from './dialect.ts';
import { LineCursor } from './line-cursor.ts';
import { realNumber } from './number-text.ts';

export interface ParsedLabel {
  readonly name: string;
  readonly value: string;
  readonly column: number;
}

export interface ParsedExemplar {
  readonly labels: readonly ParsedLabel[];
  readonly value: number;
  readonly timestamp: number | undefined;
  readonly column: number;
}

/** A parsed sample line. Columns are for error messages. */
export interface ParsedSample {
  readonly line: number;
  readonly name: string;
  readonly labels: readonly ParsedLabel[];
  readonly value: Value;
  readonly valueColumn: number;
  /** Unix time in seconds. */
  readonly timestamp: number | undefined;
  readonly exemplar: ParsedExemplar | undefined;
}

/** Parses a sample line. Throws `ParseError` if it does not match the grammar. */
export function parseSample(text: string, line: number, dialect: Dialect): ParsedSample {
  const cursor = new LineCursor(text, line, dialect.strictSpaces);
  cursor.blanks();
  const { name, labels } = seriesOf(cursor, dialect);
  const valueColumn = cursor.column;
  const valueText = cursor.token('a value');
  const value =
    dialect.number(valueText) ?? cursor.fail(`expected a number, got ${JSON.stringify(valueText)}`, valueColumn);
  let timestamp: number | undefined;
  let exemplar: ParsedExemplar | undefined;
  if (followed(cursor, dialect)) {
    if (!cursor.at('#') || !dialect.exemplars) {
      timestamp = timestampOf(cursor, dialect);
      if (followed(cursor, dialect) && !cursor.at('#')) cursor.fail('expected an exemplar or the end of the line');
    }
    if (!cursor.ended) exemplar = exemplarOf(cursor, dialect);
  }
  return { line, name, labels, value, valueColumn, timestamp, exemplar };
}

/** Parses name and labels. A quoted name is inside the braces. */
function seriesOf(cursor: LineCursor, dialect: Dialect): { name: string; labels: ParsedLabel[] } {
  if (cursor.at('{')) {
    const column = cursor.column;
    const found = labelsOf(cursor, dialect);
    cursor.space();
    if (found.name === undefined || found.name === '') return cursor.fail('expected a metric name', column);
    return { name: found.name, labels: found.labels };
  }
  const name = cursor.metricName();
  if (!dialect.strictSpaces) cursor.blanks();
  if (!cursor.at('{')) {
    if (dialect.strictSpaces) cursor.space();
    else if (cursor.ended) cursor.fail('expected a value, got the end of the line');
    return { name, labels: [] };
  }
  const column = cursor.column;
  const found = labelsOf(cursor, dialect);
  if (found.name !== undefined)
    cursor.fail('the metric has one name before the braces and another inside them', column);
  if (dialect.strictSpaces) cursor.space();
  else cursor.blanks();
  return { name, labels: found.labels };
}

/** Parses `{a="x",b="y"}`. The first entry may be a quoted metric name. Only Prometheus text allows a final comma. */
function labelsOf(cursor: LineCursor, dialect: Dialect): { name: string | undefined; labels: ParsedLabel[] } {
  const labels: ParsedLabel[] = [];
  let name: string | undefined;
  cursor.expect('{');
  cursor.blanks();
  while (!cursor.skip('}')) {
    const column = cursor.column;
    const quoted = cursor.at('"');
    const key = quoted ? cursor.quoted() : cursor.labelName();
    cursor.blanks();
    if (quoted && name === undefined && labels.length === 0 && !cursor.at('=')) {
      name = key;
    } else {
      cursor.expect('=');
      cursor.blanks();
      const value = cursor.quoted();
      if (labels.some((label) => label.name === key)) cursor.fail(`label ${JSON.stringify(key)} occurs twice`, column);
      labels.push({ name: key, value, column });
    }
    cursor.blanks();
    if (cursor.skip('}')) break;
    cursor.expect(',');
    cursor.blanks();
    if (cursor.at('}') && !dialect.trailingComma) cursor.fail('expected a label after the comma');
  }
  return { name, labels };
}

/** Whether another part follows; consumes the space before it. With `strictSpaces` a trailing space is an error. */
function followed(cursor: LineCursor, dialect: Dialect): boolean {
  if (cursor.ended) return false;
  cursor.space();
  return dialect.strictSpaces || !cursor.ended;
}

function timestampOf(cursor: LineCursor, dialect: Dialect): number {
  const column = cursor.column;
  const text = cursor.token('a timestamp');
  return dialect.timestamp(text) ?? cursor.fail(`expected a timestamp, got ${JSON.stringify(text)}`, column);
}

function exemplarOf(cursor: LineCursor, dialect: Dialect): ParsedExemplar {
  if (!dialect.exemplars) cursor.fail('exemplars are for OpenMetrics only');
  cursor.expect('#');
  cursor.space();
  const column = cursor.column;
  const { name, labels } = labelsOf(cursor, dialect);
  if (name !== undefined) cursor.fail('expected labels only', column);
  cursor.space();
  const valueColumn = cursor.column;
  const valueText = cursor.token('a value');
  const value =
    dialect.number(valueText) ?? cursor.fail(`expected a number, got ${JSON.stringify(valueText)}`, valueColumn);
  let timestamp: number | undefined;
  if (followed(cursor, dialect)) {
    const timeColumn = cursor.column;
    const text = cursor.token('a timestamp');
    timestamp = realNumber(text) ?? cursor.fail(`expected a timestamp, got ${JSON.stringify(text)}`, timeColumn);
  }
  if (!cursor.ended) cursor.fail('expected the end of the line');
  return { labels, value: Number(value), timestamp, column };
}
