import { z } from 'zod';
import { limits } from '../../base/index.ts';
import { fields, type PartFindings } from '../../config/index.ts';
import { MetricsCheck } from './check-metrics.ts';
import { declaredTypes, type StatedMetric } from './metric.ts';

const nameForm = 'the name of a metric (letters, digits and "_", a letter first), such as "shop_orders"';
const labelForm = 'the name of a label (letters, digits and "_", a letter first; not "source", "le" or "quantile")';
const boundForm = 'a finite upper bound as a number, such as 0.5 (the count of all observations is the key count)';

const parseName = (stated: string) => (/^[A-Za-z][A-Za-z0-9_]{0,199}$/.test(stated) ? stated : undefined);

const parseLabel = (stated: string) =>
  /^(?!(?:source|le|quantile)$)[A-Za-z][A-Za-z0-9_]*$/.test(stated) ? stated : undefined;

const parseBound = (stated: string) => {
  return stated.trim() === stated && stated !== '' && Number.isFinite(Number(stated)) ? stated : undefined;
};

export const labelName = fields.text(labelForm, parseLabel);

/**
 * The keys of one metric that the configuration declares. `place` is the type of a key that says where a value is, and
 * `what` says it in words, such as `column`. `more` are keys that only this driver has.
 */
export function metricKeys<P extends z.ZodType<string, string>, M extends Readonly<Record<string, z.ZodType>>>(
  place: () => P,
  what: string,
  more: M,
) {
  return {
    name: fields
      .text(nameForm, parseName)
      .describe('Name of the metric. With a unit, it ends with that. A counter may be stated with or without _total.'),
    type: z
      .enum(declaredTypes)
      .describe('Type of the metric. unknown: a value of which nothing else is known. info: labels only.'),
    help: fields.nonEmpty('a text that says what the metric means').describe('HELP text of the metric.'),
    unit: fields
      .text('a unit in lower case, such as "seconds" or "bytes"', (unit) =>
        /^[a-z][a-z0-9_]*$/.test(unit) ? unit : undefined,
      )
      .exactOptional()
      .describe('Unit of the value. Default: none.'),
    ...more,
    value: place().exactOptional().describe(`The ${what} of the value. Not for info and histograms.`),
    labels: z
      .record(labelName, place())
      .prefault({})
      .describe(`Labels of the series: the ${what} of the value of each, by name.`),
    staticLabels: z
      .record(labelName, fields.nonEmpty('the value of a label'))
      .prefault({})
      .describe('Labels with a fixed value, by name.'),
    buckets: z
      .record(fields.text(boundForm, parseBound), place())
      .exactOptional()
      .describe(`Histograms: the ${what} of the number of observations up to each bound, by bound. Cumulative.`),
    count: place().exactOptional().describe(`Histograms: the ${what} of the number of all observations.`),
    sum: place().exactOptional().describe(`Histograms: the ${what} of the sum of all observations. Default: no sum.`),
  };
}

/** Reports the problems of the metrics of one source. The check is the same one for all metrics of the source. */
export function reportMetrics(
  metrics: readonly StatedMetric<unknown>[],
  path: readonly (string | number)[],
  check: MetricsCheck,
  findings: PartFindings,
): void {
  for (const [index, metric] of metrics.entries()) {
    const labels = Object.keys(metric.labels).length + Object.keys(metric.staticLabels).length;
    if (labels > limits.sourceLabelsMax) {
      findings.report([...path, index], `expected at most ${limits.sourceLabelsMax} labels, but came ${labels}`);
    }
    for (const { key, message } of check.problemsOf(metric)) findings.report([...path, index, ...key], message);
  }
}
