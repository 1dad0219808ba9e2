import type { MetricFamily, MetricType } from '../metric/index.ts';
import { openMetricsHelp } from './help.ts';
import {
  counterWriter,
  gaugeWriter,
  histogramWriter,
  infoWriter,
  stateSetWriter,
  summaryWriter,
  withCreated,
} from './points.ts';
import { pointByPoint } from './point-by-point.ts';
import type { SampleWriter } from './sample-writer.ts';

export const endOfText = '# EOF\n';

/**
 * Encodes families as OpenMetrics text 1.0.0, including the end mark. Yields full chunks; the writer keeps the rest.
 * `created`: expose creation times of counters, histograms and summaries.
 */
export function* encodeOpenMetrics(
  samples: SampleWriter,
  families: Iterable<MetricFamily>,
  created: boolean,
): Generator<Uint8Array, void> {
  for (const family of families) {
    const type = family.type === 'counter' && family.bare === true ? 'unknown' : family.type;
    writeMetadata(samples, family.name, type, family);
    yield* writePoints(samples, family, created);
  }
  samples.out.text(endOfText);
}

/** Writes TYPE, UNIT and HELP in this order. Omits empty ones. */
export function writeMetadata(
  samples: SampleWriter,
  fullName: string,
  type: MetricType,
  { unit = '', help = '' }: MetricFamily,
): void {
  const name = samples.familyName(fullName);
  samples.out.text(`# TYPE ${name} ${type}\n`);
  if (unit !== '') samples.out.text(`# UNIT ${name} ${unit}\n`);
  if (help !== '') samples.out.text(`# HELP ${name} ${openMetricsHelp(help)}\n`);
}

function writePoints(samples: SampleWriter, family: MetricFamily, created: boolean): Iterable<Uint8Array> {
  const { out } = samples;
  const { name } = family;
  switch (family.type) {
    case 'gauge':
    case 'unknown':
      return pointByPoint(out, family.points, gaugeWriter(samples, name));
    case 'counter': {
      if (family.bare === true) return pointByPoint(out, family.points, gaugeWriter(samples, name));
      const write = counterWriter(samples, name, '_total');
      return pointByPoint(out, family.points, withCreated(samples, name, created, write));
    }
    case 'stateset':
      return pointByPoint(out, family.points, stateSetWriter(samples, name));
    case 'info':
      return pointByPoint(out, family.points, infoWriter(samples, name));
    case 'histogram': {
      const write = histogramWriter(samples, family, 'histogram');
      return pointByPoint(out, family.points, withCreated(samples, name, created, write));
    }
    case 'gaugehistogram':
      return pointByPoint(out, family.points, histogramWriter(samples, family, 'gaugehistogram'));
    case 'summary':
      return pointByPoint(out, family.points, withCreated(samples, name, created, summaryWriter(samples, name)));
  }
}
