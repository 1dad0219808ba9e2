import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encode } from '../encode.ts';
import { openMetrics } from '../format.ts';
import { acceptedByPython, readWithPython, type ReadSample } from '../testing/python-parser.ts';
import { parse } from './parse.ts';

/** A valid exposition with every type. Each case below breaks one rule. */
const valid = `# TYPE jobs counter
# HELP jobs Jobs done.
jobs_total{queue="a"} 3 # {trace_id="x"} 1 12.5
jobs_created{queue="a"} 10.5
jobs_total{queue="b"} 4
# TYPE wait_seconds histogram
# UNIT wait_seconds seconds
wait_seconds_bucket{le="0.5"} 1
wait_seconds_bucket{le="+Inf"} 2 # {} 9
wait_seconds_count 2
wait_seconds_sum 9.5
# TYPE age gaugehistogram
age_bucket{le="1.0"} 1
age_bucket{le="+Inf"} 3
age_gcount 3
age_gsum 4
# TYPE took summary
took{quantile="0.5"} NaN
took_sum 4
took_count 2
# TYPE state stateset
state{state="on"} 1
state{state="off"} 0
# TYPE build info
build_info{version="1"} 1
# TYPE heat gauge
heat{room="a"} -1.5 1
heat{room="a"} +Inf 2
# TYPE misc unknown
misc NaN
# EOF
`;

test('the unchanged exposition is valid', () => {
  expect(parse(valid, { format: 'openmetrics' }).map(({ type }) => type)).toEqual([
    'counter',
    'histogram',
    'gaugehistogram',
    'summary',
    'stateset',
    'info',
    'gauge',
    'unknown',
  ]);
});

test.each([
  ['a byte order mark', '# TYPE jobs counter', '\uFEFF# TYPE jobs counter'],
  ['a carriage return at a line end', 'misc NaN\n', 'misc NaN\r\n'],
  ['a blank line', 'misc NaN\n', 'misc NaN\n\n'],
  ['a comment', 'misc NaN\n', 'misc NaN\n# a comment\n'],
  ['no end mark', '# EOF\n', ''],
  ['an end mark in lower case', '# EOF', '# eof'],
  ['a line after the end mark', '# EOF\n', '# EOF\nx 1\n'],
  ['a blank line after the end mark', '# EOF\n', '# EOF\n\n'],
  ['a family name with a dash', 'misc NaN', 'mi-sc NaN'],
  ['a family name that begins with a digit', 'misc NaN', '1misc NaN'],
  ['a label name with a colon', 'room="a"} -1.5', 'ro:om="a"} -1.5'],
  ['a family twice', '# EOF', '# TYPE jobs counter\n# EOF'],
  ['a gauge with a sample name of a counter', '# EOF', 'jobs_created 1\n# EOF'],
  ['a gauge with a sample name of a histogram', '# EOF', '# TYPE wait_seconds_count gauge\n# EOF'],
  ['a label twice', 'room="a"} -1.5', 'room="a",room="b"} -1.5'],
  ['labels without a comma', 'room="a"} -1.5', 'room="a" x="y"} -1.5'],
  ['a comma after the last label', 'room="a"} -1.5', 'room="a",} -1.5'],
  ['a label value without quotes', 'room="a"} -1.5', 'room=a} -1.5'],
  ['an open quote', 'room="a"} -1.5', 'room="a} -1.5'],
  ['le on the sum of a histogram', 'wait_seconds_sum 9.5', 'wait_seconds_sum{le="1"} 9.5'],
  ['quantile on the sum of a summary', 'took_sum 4', 'took_sum{quantile="1"} 4'],
  ['a second TYPE', '# HELP jobs', '# TYPE jobs counter\n# HELP jobs'],
  ['a second HELP', '# HELP jobs Jobs done.\n', '# HELP jobs Jobs done.\n# HELP jobs Jobs done.\n'],
  ['a second UNIT', '# UNIT wait_seconds seconds\n', '# UNIT wait_seconds seconds\n# UNIT wait_seconds seconds\n'],
  ['HELP after the samples', 'misc NaN\n', 'misc NaN\n# HELP misc x\n'],
  ['another keyword', '# HELP jobs', '# NOTE jobs'],
  ['an unknown type', 'misc unknown', 'misc untyped'],
  ['a type in upper case', 'heat gauge', 'heat Gauge'],
  ['a unit that does not end the name', 'UNIT wait_seconds seconds', 'UNIT wait_seconds ms'],
  ['a unit of a state set', '# TYPE state stateset\n', '# TYPE state stateset\n# UNIT state e\n'],
  ['families that are interleaved', '# EOF', 'heat{room="b"} 1 1\n# EOF'],
  [
    'metrics that are interleaved',
    'jobs_created{queue="a"} 10.5\njobs_total{queue="b"} 4\n',
    'jobs_total{queue="b"} 4\njobs_created{queue="a"} 10.5\n',
  ],
  ['timestamps that go backwards', '+Inf 2', '+Inf 0.5'],
  ['a timestamp on some samples only', '+Inf 2', '+Inf'],
  ['a timestamp that is infinite', '+Inf 2', '+Inf Inf'],
  ['a timestamp that is not a number', '+Inf 2', '+Inf then'],
  ['two spaces', 'misc NaN', 'misc  NaN'],
  ['a tab', 'misc NaN', 'misc\tNaN'],
  ['a space at the end', 'misc NaN', 'misc NaN '],
  ['no value', 'misc NaN', 'misc'],
  ['a hexadecimal value', 'misc NaN', 'misc 0x1p3'],
  ['a value with underscores', 'misc NaN', 'misc 1_000'],
  ['a le that is not a number', 'le="0.5"', 'le="half"'],
  ['a le with another spelling of infinity', '_bucket{le="+Inf"} 2', '_bucket{le="Inf"} 2'],
  ['a bucket without le', 'wait_seconds_bucket{le="0.5"}', 'wait_seconds_bucket'],
  ['a gauge with a suffix', 'heat{room="a"} -1.5 1', 'heat_x{room="a"} -1.5 1\n# TYPE heat gauge'],
  ['a counter without _total', 'jobs_total{queue="b"} 4', 'jobs{queue="b"} 4\n# TYPE jobs counter'],
  ['a counter that is NaN', 'jobs_total{queue="b"} 4', 'jobs_total{queue="b"} NaN'],
  ['a counter that is negative', 'jobs_total{queue="b"} 4', 'jobs_total{queue="b"} -4'],
  ['a state that is neither on nor off', 'state="off"} 0', 'state="off"} 2'],
  ['a state without its label', 'state{state="off"} 0', 'state 0'],
  ['an info that is not 1', 'version="1"} 1', 'version="1"} 2'],
  ['an info without its suffix', 'build_info{', 'build{'],
  ['a quantile above 1', 'quantile="0.5"', 'quantile="1.5"'],
  ['a quantile value below 0', 'quantile="0.5"} NaN', 'quantile="0.5"} -1'],
  ['a summary without quantile', 'took{quantile="0.5"}', 'took'],
  ['a summary with a sum that is NaN', 'took_sum 4', 'took_sum NaN'],
  ['a summary with a count that is not whole', 'took_count 2', 'took_count 2.5'],
  ['a histogram without +Inf', 'wait_seconds_bucket{le="+Inf"} 2 # {} 9\n', ''],
  ['buckets in another order', 'le="0.5"} 1', 'le="+Inf"} 1'],
  ['buckets that fall', 'le="0.5"} 1', 'le="0.5"} 5'],
  ['a bucket count that is not whole', 'le="0.5"} 1', 'le="0.5"} 0.5'],
  ['a count without a sum', 'wait_seconds_sum 9.5\n', ''],
  ['a sum without a count', 'wait_seconds_count 2\n', ''],
  ['a count that is not that of +Inf', 'wait_seconds_count 2', 'wait_seconds_count 3'],
  ['a sum with a negative bound', 'le="0.5"} 1', 'le="-0.5"} 1'],
  ['a histogram sum that is NaN', 'wait_seconds_sum 9.5', 'wait_seconds_sum NaN'],
  ['a histogram sum that is negative', 'wait_seconds_sum 9.5', 'wait_seconds_sum -9.5'],
  ['a gauge histogram with a negative sum without negative bounds', 'age_gsum 4', 'age_gsum -4'],
  ['a gauge histogram with a sum that is NaN', 'age_gsum 4', 'age_gsum NaN'],
  ['a gauge histogram with a created time', 'age_gsum 4', 'age_gsum 4\nage_created 1\n# TYPE age_created gauge'],
  ['an exemplar on a gauge', '-1.5 1\n', '-1.5 1 # {} 1\n'],
  ['an exemplar on a created time', '10.5\n', '10.5 # {} 1\n'],
  ['an exemplar with a timestamp that is infinite', '1 12.5', '1 +Inf'],
  ['an exemplar without labels in braces', ' # {} 9', ' # 9'],
  ['an exemplar of 129 characters', 'trace_id="x"', `trace_id="${'x'.repeat(121)}"`],
])('OpenMetrics rejects %s', (_, from, to) => {
  expect(valid).toContain(from);
  expect(() => parse(valid.replace(from, to), { format: 'openmetrics' })).toThrow(
    expect.objectContaining({ name: 'ParseError', code: 'exposition_invalid' }),
  );
});

test.each([
  ['a family name that begins with an underscore', '# TYPE misc unknown\nmisc', '# TYPE _misc unknown\n_misc'],
  ['a label name that begins with an underscore', 'queue="b"', '_queue="b"'],
  ['a series twice', 'jobs_total{queue="b"} 4\n', 'jobs_total{queue="b"} 4\njobs_total{queue="b"} 5\n'],
  ['quantile on the count of a summary', 'took_count 2', 'took_count{quantile="1"} 2'],
  ['a counter that has only its created time', 'jobs_total{queue="b"} 4', 'jobs_created{queue="b"} 4'],
  ['a created time that is NaN', '10.5', 'NaN'],
  ['an exemplar above its bucket', 'le="0.5"} 1', 'le="0.5"} 1 # {} 0.6'],
  ['a counter twice at one time', 'heat{room="a"} +Inf 2\n', 'heat{room="a"} +Inf 2\nheat{room="a"} 7 2\n'],
  ['a bucket twice', 'le="0.5"} 1\n', 'le="0.5"} 1\nwait_seconds_bucket{le="0.5"} 7\n'],
  [
    'an info twice, not adjacent',
    'build_info{version="1"} 1\n',
    'build_info{v="1"} 1\nbuild_info{} 1\nbuild_info{v="1"} 1\n',
  ],
  ['a HELP text that ends with a carriage return', 'Jobs done.', 'Jobs done.\r'],
])('OpenMetrics accepts %s with a warning, as the reference parser does', (_, from, to) => {
  expect(valid).toContain(from);
  const text = valid.replace(from, to);
  const warnings: number[] = [];
  const families = parse(text, { format: 'openmetrics', onWarning: (line) => warnings.push(line) });
  const changed = text.split('\n').findIndex((line, index) => line !== valid.split('\n')[index]) + 1;
  expect(warnings.length).toBeGreaterThan(0);
  expect(warnings.every((line) => line >= changed)).toBe(true);
  const [read] = readWithPython([{ format: 'openmetrics', text }]);
  const written = Buffer.concat([...encode(families, openMetrics, { created: true })]).toString();
  const values = ({ name, labels, value }: ReadSample): string => JSON.stringify([name, labels, value]);
  const [again] = readWithPython([{ format: 'openmetrics', text: written }]);
  const isLeftOut = (sample: ReadSample): boolean => sample.name.endsWith('_created');
  const kept = (samples: readonly ReadSample[] = []): readonly string[] =>
    samples
      .filter((sample) => !isLeftOut(sample))
      .map(values)
      .toSorted();
  expect(kept(again)).toEqual(kept(read));
});

test('OpenMetrics accepts what the reference parser accepts, with lines repeated, removed and swapped', () => {
  const lines = valid.split('\n').slice(0, -1);
  const at = fc.nat({ max: lines.length - 1 });
  const edit = fc.tuple(fc.constantFrom('repeat', 'drop', 'swap'), at, at);
  const edited = (edits: readonly (readonly [string, number, number])[]): string => {
    const text = [...lines];
    for (const [kind, one, other] of edits) {
      const [line = '', second = ''] = [text[one], text[other]];
      if (kind === 'repeat') text.splice(other, 0, line);
      else if (kind === 'drop') text.splice(one, 1);
      else text.splice(one, 1, second).forEach(() => text.splice(other, 1, line));
    }
    return `${text.join('\n')}\n`;
  };
  const texts = fc.sample(fc.array(edit, { minLength: 1, maxLength: 3 }), 3_000).map(edited);
  const isAccepted = acceptedByPython(texts);
  const accepted = texts.filter((_, index) => isAccepted[index]);
  expect(accepted.length).toBeGreaterThan(100);
  for (const text of accepted) expect(() => parse(text, { format: 'openmetrics' }), text).not.toThrow();
});

test('bytes that are not UTF-8 are rejected with their line', () => {
  const bytes = Buffer.concat([
    Buffer.from('# TYPE a gauge\na{b="'),
    Buffer.from([0xff]),
    Buffer.from('"} 1\n# EOF\n'),
  ]);
  expect(() => parse(bytes, { format: 'openmetrics' })).toThrow(expect.objectContaining({ line: 2 }));
});
