export { canonicalArch, knownArchitectures } from './arch.ts';
export {
  accountKey,
  accountNames,
  accountOf,
  dimensionRow,
  parseAccountKey,
  seriesKey,
  type Increment,
  type Series,
} from './cell.ts';
export { createCalendar, formatDay, monthOf, nextMonthOf, parseDay, type Calendar, type Day } from './day.ts';
export {
  dimensions,
  foldedValue,
  isDimension,
  type Dimension,
  type DimensionValues,
  type HeldValue,
} from './dimensions.ts';
export { incompleteTotals, parseIncomplete } from './incomplete.ts';
export { outcome, voidCell } from './keyed-outcome.ts';
export type { EventIdentity, EventResult, LedgerEvent, UsageEvent } from './event.ts';
export { dayQuantityMax, meterSet, voidEventType, type ConfiguredMeter, type Meter, type MeterSet } from './meters.ts';
export {
  distinctDimensions,
  type DistinctDimension,
  type UsageAnswer,
  type UsageQuery,
  type UsageRow,
  type Window,
} from './query.ts';
export { assertKept } from './query-kept.ts';
export { canonicalQuery } from './query-names.ts';
export { parseValuesQuery, valuesAnswer, valuesAsJson } from './query-values.ts';
export {
  parseWaveParameters,
  waveAnswer,
  waveMetrics,
  type WaveParameters,
  type WaveQuery,
  type WaveVersion,
} from './wave.ts';
export {
  fieldOfEveryOrganisation,
  parseWaveField,
  waveFieldName,
  waveFieldsOf,
  waveMeters,
  type WaveField,
} from './wave-fields.ts';
export { checkRange, formatCursor, parseFormat, parseUsageQuery, type UsageParameters } from './parse-query.ts';
export { Pseudonyms } from './pseudonym.ts';
export { stringifyJson, usageAsCsv, usageAsJson } from './present.ts';
export {
  type Amount,
  checkSize,
  detailsIn,
  foldedDimensions,
  RowSums,
  type RowValues,
  type WindowSums,
} from './rows.ts';
