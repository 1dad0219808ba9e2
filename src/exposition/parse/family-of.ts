import {
  type CounterPoint,
  type Exemplar,
  type GaugePoint,
  type HistogramPoint,
  type MetricFamily,
  noLabels,
  type StateSetPoint,
  type SummaryPoint,
  type Value,
} from '../../metric/index.ts';
import type { Dialect } from './dialect.ts';
import type { FamilyDraft } from './family-draft.ts';
import { numberOf } from './number-text.ts';
import { LabelSets, type PointGroup } from './point-groups.ts';
import type { ParsedSample } from './sample-line.ts';

/** A family that was parsed from a text. */
export type ParsedFamily = MetricFamily & {
  /** The line at which it begins, counted from 1. */
  readonly line: number;
};

/** Converts a draft to a family. Fills in missing values, which only lenient parsing accepts. */
export function familyOf(draft: FamilyDraft, groups: readonly PointGroup[], dialect: Dialect): ParsedFamily {
  const { name, type, line } = draft;
  const metadata = { name, help: draft.help || undefined, unit: draft.unit || undefined, line };
  switch (type) {
    case 'gauge':
    case 'unknown':
      return { ...metadata, type, points: groups.flatMap(gaugePoints) };
    case 'counter':
      return counterFamily(metadata, groups, dialect);
    case 'info':
      return {
        ...metadata,
        type,
        points: groups.map(({ labels, timestamp }) => ({ labels: noLabels, info: labels, timestamp })),
      };
    case 'stateset':
      return { ...metadata, type, points: groups.map((group) => stateSetPoint(name, group)) };
    case 'histogram':
    case 'gaugehistogram':
      return { ...metadata, type, points: groups.map((group) => histogramPoint(name, group)) };
    case 'summary':
      return { ...metadata, type, points: groups.map((group) => summaryPoint(name, group)) };
  }
}

interface Metadata {
  readonly name: string;
  readonly help: string | undefined;
  readonly unit: string | undefined;
  readonly line: number;
}

/** In Prometheus text the family has the name of its samples: strip `_total`, or make the counter bare if it has no such suffix. */
function counterFamily(metadata: Metadata, groups: readonly PointGroup[], dialect: Dialect): ParsedFamily {
  const { name } = metadata;
  if (dialect.openMetrics) {
    const total = `${name}_total`;
    // Omit a counter without a value (only `_created`).
    const valued = dialect.rules ? groups.filter((group) => find(group, total) !== undefined) : groups;
    return { ...metadata, type: 'counter', points: valued.map((group) => counterPoint(total, name, group)) };
  }
  const points = groups.map((group) => counterPoint(name, name, group));
  const short = name.endsWith('_total') ? name.slice(0, -'_total'.length) : '';
  return short === ''
    ? { ...metadata, type: 'counter', bare: true, points }
    : { ...metadata, type: 'counter', name: short, points };
}

function gaugePoints({ labels, timestamp, samples }: PointGroup): GaugePoint[] {
  return samples.map(({ value }) => ({ labels, value, timestamp }));
}

function counterPoint(totalName: string, familyName: string, group: PointGroup): CounterPoint {
  const total = find(group, totalName);
  return {
    labels: group.labels,
    value: total?.value ?? 0,
    timestamp: group.timestamp,
    created: createdOf(familyName, group),
    exemplar: exemplarOf(total),
  };
}

function stateSetPoint(familyName: string, { labels, timestamp, samples }: PointGroup): StateSetPoint {
  const states = samples.map((sample) => labelOf(sample, familyName));
  return { labels, timestamp, states, on: samples.map(({ value }) => Number(value) === 1) };
}

function histogramPoint(familyName: string, group: PointGroup): HistogramPoint {
  const { labels, timestamp, samples } = group;
  const buckets = samples
    .filter(({ name }) => name === `${familyName}_bucket`)
    .map((sample) => ({ bound: Number(numberOf(labelOf(sample, 'le')) ?? NaN), sample }))
    .sort((a, b) => a.bound - b.bound);
  const count = find(group, `${familyName}_count`) ?? find(group, `${familyName}_gcount`);
  const sum = find(group, `${familyName}_sum`) ?? find(group, `${familyName}_gsum`);
  const finite = buckets.filter(({ bound }) => bound !== Infinity);
  const all = buckets.find(({ bound }) => bound === Infinity)?.sample;
  const exemplars = [...finite.map(({ sample }) => exemplarOf(sample)), exemplarOf(all)];
  return {
    labels,
    timestamp,
    bounds: finite.map(({ bound }) => bound),
    counts: [...finite.map(({ sample }) => sample.value), all?.value ?? count?.value ?? 0],
    sum: sum?.value,
    created: createdOf(familyName, group),
    exemplars: exemplars.some((exemplar) => exemplar !== undefined) ? exemplars : undefined,
  };
}

function summaryPoint(familyName: string, group: PointGroup): SummaryPoint {
  const { labels, timestamp, samples } = group;
  const quantiles = samples.filter(({ name }) => name === familyName);
  return {
    labels,
    timestamp,
    quantiles: quantiles.map((sample) => Number(numberOf(labelOf(sample, 'quantile')) ?? NaN)),
    values: quantiles.map(({ value }) => value),
    sum: find(group, `${familyName}_sum`)?.value,
    count: find(group, `${familyName}_count`)?.value,
    created: createdOf(familyName, group),
  };
}

function find(group: PointGroup, sampleName: string): ParsedSample | undefined {
  return group.samples.find(({ name }) => name === sampleName);
}

function createdOf(familyName: string, group: PointGroup): number | undefined {
  const created: Value | undefined = find(group, `${familyName}_created`)?.value;
  return created === undefined || !Number.isFinite(Number(created)) ? undefined : Number(created);
}

function labelOf(sample: ParsedSample, name: string): string {
  return sample.labels.find((label) => label.name === name)?.value ?? '';
}

function exemplarOf(sample: ParsedSample | undefined): Exemplar | undefined {
  const parsed = sample?.exemplar;
  if (parsed === undefined) return undefined;
  return { labels: new LabelSets().of(parsed.labels), value: parsed.value, timestamp: parsed.timestamp };
}
