import { reservedLabels, type Value } from '../../metric/index.ts';
import type { Dialect } from './dialect.ts';
import type { FamilyDraft } from './family-draft.ts';
import { numberOf, realNumber } from './number-text.ts';
import { ParseError } from './parse-error.ts';
import { distinguishingLabel } from './point-groups.ts';
import type { ParsedExemplar, ParsedLabel, ParsedSample } from './sample-line.ts';

/** Code points of an exemplar's label names and values together. */
const exemplarCodePointsMax = 128;

/** Checks what the format says of one sample. Prometheus text says little. */
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

/** The label that tells samples apart must be where the type needs it, with a value that makes sense, and only there. */
function checkOwnLabel(draft: FamilyDraft, sample: ParsedSample, dialect: Dialect): void {
  const own = distinguishingLabel(draft, sample);
  for (const reserved of reservedLabels(draft.type, draft.name)) {
    const label = sample.labels.find(({ name }) => name === reserved);
    if (reserved !== own) {
      if (label !== undefined) refuseLabel(draft, sample, label, dialect);
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

/** A label that a type keeps for other samples of the family. */
function refuseLabel(
  { type }: FamilyDraft,
  sample: ParsedSample,
  { name, column }: ParsedLabel,
  dialect: Dialect,
): void {
  const reason = `${sample.name} may have no label ${name}`;
  if (!dialect.openMetrics || type !== 'summary') fail(sample, reason, column);
  dialect.warn(sample.line, column, reason);
}

/** OpenMetrics knows infinity by one spelling only ("Considerations: Canonical Numbers"). */
function isBound(text: string, dialect: Dialect): boolean {
  if (realNumber(text) !== undefined || text === '+Inf' || text === '-Inf') return true;
  return !dialect.openMetrics && !Number.isNaN(Number(numberOf(text) ?? NaN));
}

function isQuantile(text: string): boolean {
  const value = realNumber(text);
  return value !== undefined && value >= 0 && value <= 1;
}

/** What a sample's value must be, by the suffix of its name. */
function checkValue({ type, name }: FamilyDraft, sample: ParsedSample, dialect: Dialect): void {
  const suffix = sample.name.slice(name.length);
  const { value } = sample;
  const refuse = (expected: string): never =>
    fail(sample, `expected ${expected} for ${sample.name}, got ${value}`, sample.valueColumn);
  switch (suffix) {
    case '_total':
      if (type === 'counter' && !isAmount(value)) refuse('a number of at least 0');
      break;
    case '_sum':
      if (type === 'summary' && !isAmount(value)) refuse('a number of at least 0');
      if (type === 'histogram' && !isAmount(value)) refuse('a number of at least 0');
      break;
    case '_gsum':
      if (type === 'gaugehistogram' && Number.isNaN(Number(value))) refuse('a number');
      break;
    case '_count':
    case '_gcount':
    case '_bucket':
      if (type !== 'gauge' && type !== 'unknown' && !isCount(value)) refuse('a whole number of at least 0');
      break;
    case '_created':
      if (type !== 'gauge' && type !== 'unknown' && !Number.isFinite(Number(value))) {
        dialect.warn(sample.line, sample.valueColumn, `expected a time in seconds for ${sample.name}, got ${value}`);
      }
      break;
    case '_info':
      if (type === 'info' && Number(value) !== 1) refuse('1');
      break;
    case '':
      if (type === 'stateset' && Number(value) !== 0 && Number(value) !== 1) refuse('0 or 1');
      if (type === 'summary' && value < 0) refuse('a number of at least 0, or NaN');
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
    fail(sample, `${sample.name} of a ${type} can have no exemplar`, exemplar.column);
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
    const reason = `the exemplar's value ${exemplar.value} lies above its bucket, ${bound}`;
    dialect.warn(sample.line, exemplar.column, reason);
  }
}

function fail(sample: ParsedSample, reason: string, column: number): never {
  throw new ParseError(sample.line, column, reason);
}
