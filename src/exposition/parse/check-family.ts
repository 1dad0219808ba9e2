import type { Dialect } from './dialect.ts';
import { checkHistogramPoint } from './check-histogram.ts';
import { checkSample } from './check-sample.ts';
import type { FamilyDraft } from './family-draft.ts';
import { ParseError } from './parse-error.ts';
import { distinguishingLabel, type PointGroup } from './point-groups.ts';

/** Checks a family's names and each of its samples against the rules of the format. Throws `ParseError`. */
export function checkSamples(draft: FamilyDraft, dialect: Dialect): void {
  if (dialect.openMetrics) {
    if (draft.name.startsWith('_')) {
      dialect.warn(draft.line, 1, 'family names that begin with an underscore are reserved');
    }
    checkUnit(draft);
  }
  for (const sample of draft.samples) checkSample(draft, sample, dialect);
}

/** Checks whole points against the rules of the format. Throws `ParseError`. */
export function checkPoints(draft: FamilyDraft, groups: readonly PointGroup[], dialect: Dialect): void {
  for (const group of groups) {
    if (dialect.openMetrics) checkPoint(draft, group, dialect);
    else checkUnique(draft, group);
  }
}

function checkUnit({ unit, type, name, unitLine }: FamilyDraft): void {
  if (unit === '') return;
  if (type === 'info' || type === 'stateset') fail(unitLine, `expected no unit for ${type} ${name}, got ${unit}`);
  if (!name.endsWith(`_${unit}`)) fail(unitLine, `expected the name of ${type} ${name} to end with its unit, _${unit}`);
}

/** In Prometheus text a series occurs once, or once per timestamp. */
function checkUnique(draft: FamilyDraft, group: PointGroup): void {
  const seen = new Set<string>();
  for (const sample of group.samples) {
    const apart = distinguishingLabel(draft, sample);
    const value = sample.labels.find(({ name }) => name === apart)?.value ?? '';
    const series = JSON.stringify([sample.name, apart === undefined || apart === draft.name ? value : Number(value)]);
    if (seen.has(series)) fail(sample.line, `the series occurs twice: ${sample.name}`);
    seen.add(series);
  }
}

function checkPoint(draft: FamilyDraft, group: PointGroup, dialect: Dialect): void {
  const { name, type } = draft;
  const line = group.samples[0]?.line ?? draft.line;
  const has = (sampleName: string): boolean => group.samples.some((sample) => sample.name === sampleName);
  switch (type) {
    case 'counter':
      if (!has(`${name}_total`)) dialect.warn(line, 1, `counter ${name} has no value: ${name}_total is missing`);
      break;
    case 'histogram':
      checkHistogramPoint(name, { count: `${name}_count`, sum: `${name}_sum`, mayFall: false }, group.samples);
      break;
    case 'gaugehistogram':
      checkHistogramPoint(name, { count: `${name}_gcount`, sum: `${name}_gsum`, mayFall: true }, group.samples);
      break;
    case 'gauge':
    case 'info':
    case 'stateset':
    case 'summary':
    case 'unknown':
      break;
  }
}

function fail(line: number, reason: string): never {
  throw new ParseError(line, 1, reason);
}
