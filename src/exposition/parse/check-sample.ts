import { reservedLabels, type Value } from '../../metric/index.ts';
import type { Dialect } from './dialect.ts';
import type { FamilyDraft } from './family-draft.ts';
import { numberOf, realNumber } from './number-text.ts';
import { ParseError } from './parse-error.ts';
import { distinguishingLabel } from './point-groups.ts';
import type { ParsedExemplar, ParsedLabel, ParsedSample } from './sample-line.ts';

/** Most code points of an exemplar's label names and values in total. */
const exemplarCodePointsMax = 128;

/** Checks one sample against the rules of the format, which are few for Prometheus text. Throws `ParseError`. */
export function checkSample(draft: FamilyDraft, sample: ParsedSample, dialect: Dialect): void {
  checkOwnLabel(draft, sample, dialect);
  if (!dialect.openMetrics) return;
  for (const { name, column } of sample.labels) {
    if (name.startsWith('_')) {
      dialect.warn(sample.line, column, 'label names that begin with an underscore are reserved');
    }
  }
  checkValue(draft, sample, dialect);
  if (sample.exemplar !== undefined) checkExemplar(draft, sample, sample.exemplar, dialect);
}

/** The distinguishing label (`le`, `quantile`) must be present and valid exactly where the type requires it. */
function checkOwnLabel(draft: FamilyDraft, sample: ParsedSample, dialect: Dialect): void {
  const own = distinguishingLabel(draft, sample);
  for (const reserved of reservedLabels(draft.type, draft.name)) {
    const label = sample.labels.find(({ name }) => name === reserved);
    if (reserved !== own) {
      if (label !== undefined) rejectLabel(draft, sample, label, dialect);
      continue;
    }
    if (label === undefined) fail(sample, `${sample.name} needs a label ${reserved}`, 1);
    if (own === 'le' && !isBound(label.value, dialect)) {
      fail(sample, `expected le to be a number or +Inf, got ${JSON.stringify(label.value)}`, label.column);
    }
    if (own === 'quantile' && !isQuantile(label.value)) {
      fail(sample, `expected quantile from 0 to 1, got ${JSON.stringify(label.value)}`, label.column);
    }
  }
}

/** Rejects a label that the type reserves for other samples of the family. */
function rejectLabel(
  { type }: FamilyDraft,
  sample: ParsedSample,
  { name, column }: ParsedLabel,
  dialect: Dialect,
): void {
  const reason = `${sample.name} must not have the label ${name}`;
  if (!dialect.openMetrics || type !== 'summary') fail(sample, reason, column);
  dialect.warn(sample.line, column, reason);
}

/** OpenMetrics allows one spelling of infinity only ("Considerations: Canonical Numbers"). */
function isBound(text: string, dialect: Dialect): boolean {
  if (realNumber(text) !== undefined || text === '+Inf' || text === '-Inf') return true;
  return !dialect.openMetrics && !Number.isNaN(Number(numberOf(text) ?? NaN));
}

function isQuantile(text: string): boolean {
  const value = realNumber(text);
  return value !== undefined && value >= 0 && value <= 1;
}

/** Checks a sample's value against the suffix of its name. */
function checkValue({ type, name }: FamilyDraft, sample: ParsedSample, dialect: Dialect): void {
  const suffix = sample.name.slice(name.length);
  const { value } = sample;
  const reject = (expected: string): never =>
    fail(sample, `expected ${expected} for ${sample.name}, got ${value}`, sample.valueColumn);
  switch (suffix) {
    case '_total':
      if (type === 'counter' && !isAmount(value)) reject('a number of at least 0');
      break;
    case '_sum':
      if (type === 'summary' && !isAmount(value)) reject('a number of at least 0');
      if (type === 'histogram' && !isAmount(value)) reject('a number of at least 0');
      break;
    case '_gsum':
      if (type === 'gaugehistogram' && Number.isNaN(Number(value))) reject('a number');
      break;
    case '_count':
    case '_gcount':
    case '_bucket':
      if (type !== 'gauge' && type !== 'unknown' && !isCount(value)) reject('a whole number of at least 0');
      break;
    case '_created':
      if (type !== 'gauge' && type !== 'unknown' && !Number.isFinite(Number(value))) {
        dialect.warn(sample.line, sample.valueColumn, `expected a time in seconds for ${sample.name}, got ${value}`);
      }
      break;
    case '_info':
      if (type === 'info' && Number(value) !== 1) reject('1');
      break;
    case '':
      if (type === 'stateset' && Number(value) !== 0 && Number(value) !== 1) reject('0 or 1');
      if (type === 'summary' && value < 0) reject('a number of at least 0, or NaN');
      break;
  }
}

function isAmount(value: Value): boolean {
  return value >= 0;
}

function isCount(value: Value): boolean {
  return value >= 0 && (typeof value === 'bigint' || Number.isInteger(value));
}

function checkExemplar(draft: FamilyDraft, sample: ParsedSample, exemplar: ParsedExemplar, dialect: Dialect): void {
  const { type, name } = draft;
  const onBucket = (type === 'histogram' || type === 'gaugehistogram') && sample.name === `${name}_bucket`;
  if (!onBucket && !(type === 'counter' && sample.name === `${name}_total`)) {
    fail(sample, `${sample.name} of a ${type} cannot have an exemplar`, exemplar.column);
  }
  const text = exemplar.labels.map((label) => label.name + label.value).join('');
  const codePoints = Array.from(text).length;
  if (codePoints > exemplarCodePointsMax) {
    fail(
      sample,
      `expected exemplar labels of at most ${exemplarCodePointsMax} characters, got ${codePoints}`,
      exemplar.column,
    );
  }
  const bound = onBucket ? numberOf(sample.labels.find((label) => label.name === 'le')?.value ?? '') : undefined;
  if (bound !== undefined && exemplar.value > bound) {
    const reason = `the exemplar's value ${exemplar.value} is above its bucket, ${bound}`;
    dialect.warn(sample.line, exemplar.column, reason);
  }
}

function fail(sample: ParsedSample, reason: string, column: number): never {
  throw new ParseError(sample.line, column, reason);
}
