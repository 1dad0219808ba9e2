import type { MetricFamily, MetricType } from '../metric/index.ts';
import { prometheusHelp } from './help.ts';
import { lower, type PrometheusFamily } from './lower.ts';
import { pointByPoint } from './point-by-point.ts';
import { counterWriter, gaugeWriter, histogramWriter, summaryWriter } from './points.ts';
import type { SampleWriter } from './sample-writer.ts';

/** Type names of Prometheus text. For a gauge histogram only buckets are left: `lower` converts the rest to gauges. */
const typeNames: Readonly<Record<PrometheusFamily['type'], string>> = {
  gauge: 'gauge',
  unknown: 'untyped',
  counter: 'counter',
  histogram: 'histogram',
  gaugehistogram: 'histogram',
  summary: 'summary',
} satisfies Partial<Record<MetricType, string>>;

/** Encodes families as Prometheus text 0.0.4 or 1.0.0. Yields full chunks; the writer keeps the rest. */
export function* encodePrometheusText(
  samples: SampleWriter,
  families: Iterable<MetricFamily>,
  created: boolean,
): Generator<Uint8Array, void> {
  for (const family of families) {
    for (const lowered of lower(family, { created, splitGaugeHistograms: true })) {
      writeMetadata(samples, lowered);
      yield* writePoints(samples, lowered);
    }
  }
}

function writeMetadata(samples: SampleWriter, family: PrometheusFamily): void {
  const name = samples.familyName(family.name);
  const { help = '' } = family;
  if (help !== '') samples.out.text(`# HELP ${name} ${prometheusHelp(help)}\n`);
  samples.out.text(`# TYPE ${name} ${typeNames[family.type]}\n`);
}

function writePoints(samples: SampleWriter, family: PrometheusFamily): Iterable<Uint8Array> {
  const { out } = samples;
  const { name } = family;
  switch (family.type) {
    case 'gauge':
    case 'unknown':
      return pointByPoint(out, family.points, gaugeWriter(samples, name));
    case 'counter':
      return pointByPoint(out, family.points, counterWriter(samples, name, ''));
    case 'histogram':
      return pointByPoint(out, family.points, histogramWriter(samples, family, 'prometheus'));
    case 'gaugehistogram':
      return pointByPoint(out, family.points, histogramWriter(samples, family, 'buckets'));
    case 'summary':
      return pointByPoint(out, family.points, summaryWriter(samples, name));
  }
}
