import { sampleSuffixes } from '../sample-names.ts';
import type { LintRule } from './rule.ts';
import { baseUnits, unitAbbreviations } from './units.ts';

/** A dashboard shows the help text as the metric's only description. */
export const helpMissing: LintRule = ({ family }) => ((family.help ?? '').trim() === '' ? ['has no help text'] : []);

/** Readers take a counter without `_total` for a gauge. */
export const counterWithoutTotal: LintRule = ({ family }) =>
  family.type === 'counter' && family.bare === true ? ['a counter should end with _total'] : [];

/** A name with the suffix of another type misleads readers and may clash with that type's samples. */
export const suffixOfAnotherType: LintRule = ({ family }) => {
  const owners = {
    _total: 'counters',
    _bucket: 'histograms',
    _sum: 'histograms and summaries',
    _count: 'histograms and summaries',
    _gsum: 'gauge histograms',
    _gcount: 'gauge histograms',
    _created: 'creation times',
  };
  const asItIs = sampleSuffixes[family.type].includes('');
  return Object.entries(owners)
    .filter(([suffix]) => asItIs && family.name.endsWith(suffix))
    .map(([suffix, types]) => `a ${family.type} should not end with ${suffix}, which is for ${types}`);
};

/** Readers take `le` and `quantile` for the labels of buckets and quantiles. */
export const labelOfAnotherType: LintRule = ({ family, labelNames }) => {
  const owners = { le: ['histogram', 'gaugehistogram'], quantile: ['summary'] };
  return Object.entries(owners)
    .filter(([label, types]) => labelNames.includes(label) && !types.includes(family.type))
    .map(([label, types]) => `label ${label} is for ${types.join(' and ')}`);
};

/** Values in base units can be combined without a conversion factor. */
export const notBaseUnit: LintRule = ({ family }) => {
  const words = family.name.split('_');
  return Object.entries(baseUnits)
    .filter(([unit]) => words.includes(unit))
    .map(([unit, base]) => `use the base unit ${base} instead of ${unit}`);
};

/** A reader must guess `_ms`, but not `_seconds`. */
export const unitAbbreviated: LintRule = ({ family }) => {
  const last = family.name.split('_').at(-1) ?? '';
  const full = Object.hasOwn(unitAbbreviations, last) ? unitAbbreviations[last] : undefined;
  return full === undefined ? [] : [`spell the unit out: ${full} instead of ${last}`];
};

/** The metadata states the type. */
export const typeInName: LintRule = ({ family }) => {
  const words = family.name.toLowerCase().split('_');
  const types = ['counter', 'gauge', 'histogram', 'summary', 'stateset', 'gaugehistogram'];
  return types.filter((type) => words.includes(type)).map((type) => `the name should not contain its type, ${type}`);
};

/** Colons are reserved for the names of recording rules. */
export const colonInName: LintRule = ({ family }) =>
  family.name.includes(':') ? ['colons are for recording rules'] : [];

/** Metric and label names are in snake_case. */
export const camelCase: LintRule = ({ family, labelNames }) => {
  const isCamelCase = (name: string): boolean => /[a-z][A-Z]/.test(name);
  return [
    ...(isCamelCase(family.name) ? ['names are written in snake_case, not camelCase'] : []),
    ...labelNames.filter(isCamelCase).map((name) => `label ${name}: names are written in snake_case, not camelCase`),
  ];
};

/** A label with the metric's name is redundant. */
export const metricNameInLabel: LintRule = ({ family, labelNames }) =>
  family.type === 'stateset' || !labelNames.includes(family.name) ? [] : ['a label repeats the name of the metric'];
