import { metricTypes, type MetricType } from '../../metric/index.ts';
import type { Dialect } from './dialect.ts';
import { LineCursor, unescaped } from './line-cursor.ts';

/** A line that begins with `#`. */
export type MetadataLine =
  | { readonly kind: 'eof' }
  | { readonly kind: 'comment' }
  | { readonly kind: 'type'; readonly name: string; readonly type: MetricType; readonly column: number }
  | { readonly kind: 'help' | 'unit'; readonly name: string; readonly text: string; readonly column: number };

/** Parses a line that begins with `#`. Throws `ParseError`. */
export function parseMetadata(text: string, line: number, dialect: Dialect): MetadataLine {
  const cursor = new LineCursor(text, line, dialect.strictSpaces);
  if (text === '# EOF') return { kind: dialect.openMetrics ? 'eof' : 'comment' };
  cursor.blanks();
  cursor.expect('#');
  const keyword = keywordOf(cursor, dialect);
  if (keyword === undefined) return { kind: 'comment' };
  cursor.space();
  const column = cursor.column;
  const name = cursor.at('"') ? cursor.quoted() : cursor.metricName();
  if (name === '') cursor.fail('expected a metric name', column);
  if (keyword === 'TYPE') {
    cursor.space();
    return { kind: 'type', name, type: typeOf(cursor, dialect), column };
  }
  if (keyword === 'UNIT') {
    cursor.expect(' ');
    const unit = cursor.rest();
    if (!/^[a-zA-Z0-9_:]*$/.test(unit)) cursor.fail(`expected a unit of letters, got ${JSON.stringify(unit)}`, column);
    return { kind: 'unit', name, text: unit, column };
  }
  if (dialect.strictSpaces) cursor.expect(' ');
  else cursor.blanks();
  return { kind: 'help', name, text: unescaped(cursor.rest()), column };
}

/** The keyword; `undefined` for a comment, which only Prometheus text and lenient parsing allow. */
function keywordOf(cursor: LineCursor, dialect: Dialect): 'TYPE' | 'HELP' | 'UNIT' | undefined {
  const column = cursor.column;
  if (dialect.strictSpaces) cursor.expect(' ');
  else cursor.blanks();
  const keyword = cursor.ended ? '' : cursor.token('a keyword');
  if (keyword === 'TYPE' || keyword === 'HELP') return keyword;
  if (keyword === 'UNIT' && dialect.openMetrics) return keyword;
  if (dialect.strictSpaces) {
    cursor.fail(`expected TYPE, HELP, UNIT or EOF after #, got ${JSON.stringify(keyword)}`, column);
  }
  return undefined;
}

function typeOf(cursor: LineCursor, dialect: Dialect): MetricType {
  const column = cursor.column;
  const text = dialect.strictSpaces ? cursor.rest() : cursor.rest().trim();
  if (text === 'untyped' && !(dialect.openMetrics && dialect.rules)) return 'unknown';
  const type = metricTypes.find((known) => known === text);
  const prometheus = type === 'counter' || type === 'gauge' || type === 'histogram' || type === 'summary';
  if (type === undefined || (dialect.rules && !dialect.openMetrics && !prometheus)) {
    return cursor.fail(`expected a metric type, got ${JSON.stringify(text)}`, column);
  }
  return type;
}
