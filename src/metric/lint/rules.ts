import { sampleSuffixes } from '../sample-names.ts';
import type { LintRule } from './rule.ts';
import { baseUnits, unitAbbreviations } from './units.ts';

/** Whoever reads a dashboard has nothing but the help text. */
export const helpMissing: LintRule = ({ family }) => ((family.help ?? '').trim() === '' ? ['has no help text'] : []);

/** A total that does not say so is taken for a gauge. */
export const counterWithoutTotal: LintRule = ({ family }) =>
  family.type === 'counter' && family.bare === true ? ['counters end with _total'] : [];

/** A sample whose own name ends like another type's samples misleads, and may clash with them. */
export const suffixOfAnotherType: LintRule = ({ family }) => {
  const owners = {
    _total: 'counters',
    _bucket: 'histograms',
    _sum: 'histograms and summaries',
    _count: 'histograms and summaries',
    _gsum: 'gauge histograms',
    _gcount: 'gauge histograms',
    _created: 'times at which counting began',
  };
  const asItIs = sampleSuffixes[family.type].includes('');
  return Object.entries(owners)
    .filter(([suffix]) => asItIs && family.name.endsWith(suffix))
    .map(([suffix, types]) => `a ${family.type} should not end with ${suffix}, which is for ${types}`);
};

/** `le` and `quantile` make a reader expect buckets or quantiles. */
export const labelOfAnotherType: LintRule = ({ family, labelNames }) => {
  const owners = { le: ['histogram', 'gaugehistogram'], quantile: ['summary'] };
  return Object.entries(owners)
    .filter(([label, types]) => labelNames.includes(label) && !types.includes(family.type))
    .map(([label, types]) => `label ${label} is for ${types.join(' and ')}`);
};

/** Values in base units need no factor when they are put together. */
export const notBaseUnit: LintRule = ({ family }) => {
  const words = family.name.split('_');
  return Object.entries(baseUnits)
    .filter(([unit]) => words.includes(unit))
    .map(([unit, base]) => `use the base unit ${base} instead of ${unit}`);
};

/** `_ms` is guessed, `_seconds` is read. */
export const unitAbbreviated: LintRule = ({ family }) => {
  const last = family.name.split('_').at(-1) ?? '';
  const full = Object.hasOwn(unitAbbreviations, last) ? unitAbbreviations[last] : undefined;
  return full === undefined ? [] : [`spell the unit out: ${full} instead of ${last}`];
};

/** The type stands in the metadata. */
export const typeInName: LintRule = ({ family }) => {
  const words = family.name.toLowerCase().split('_');
  const types = ['counter', 'gauge', 'histogram', 'summary', 'stateset', 'gaugehistogram'];
  return types.filter((type) => words.includes(type)).map((type) => `the name should not say its type, ${type}`);
};

/** Colons are for the names that recording rules make. */
export const colonInName: LintRule = ({ family }) =>
  family.name.includes(':') ? ['colons are for recording rules'] : [];

/** Names are in snake_case, labels too. */
export const camelCase: LintRule = ({ family, labelNames }) => {
  const broken = (name: string): boolean => /[a-z][A-Z]/.test(name);
  return [
    ...(broken(family.name) ? ['names are written in snake_case, not camelCase'] : []),
    ...labelNames.filter(broken).map((name) => `label ${name}: names are written in snake_case, not camelCase`),
  ];
};

/** A label with the same word as the metric says nothing, or says it twice. */
export const metricNameInLabel: LintRule = ({ family, labelNames }) =>
  family.type === 'stateset' || !labelNames.includes(family.name) ? [] : ['a label repeats the name of the metric'];
