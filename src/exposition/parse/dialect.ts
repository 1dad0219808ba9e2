import type { Value } from '../../metric/index.ts';
import { numberOf, prometheusNumberOf, realNumber } from './number-text.ts';

/** How the lines of one format are read. */
export interface Dialect {
  readonly openMetrics: boolean;
  /** Exactly one space between parts, and none elsewhere. */
  readonly strictSpaces: boolean;
  readonly exemplars: boolean;
  readonly trailingComma: boolean;
  /** Enforces what the format says of names, values and order; without it whatever can be understood is taken. */
  readonly rules: boolean;
  readonly number: (text: string) => Value | undefined;
  /** A timestamp's text in Unix seconds. */
  readonly timestamp: (text: string) => number | undefined;
}

function milliseconds(text: string): number | undefined {
  return /^[+-]?[0-9]+$/.test(text) ? Number(text) / 1000 : undefined;
}

/** OpenMetrics text 1.0, or a lenient reading of it. */
export function openMetricsDialect(strict: boolean): Dialect {
  return {
    openMetrics: true,
    strictSpaces: strict,
    exemplars: true,
    trailingComma: !strict,
    rules: strict,
    number: numberOf,
    timestamp: realNumber,
  };
}

/** Prometheus text 0.0.4 and 1.0.0, or a lenient reading of it. */
export function prometheusDialect(strict: boolean): Dialect {
  return {
    openMetrics: false,
    strictSpaces: false,
    exemplars: !strict,
    trailingComma: true,
    rules: strict,
    number: prometheusNumberOf,
    timestamp: milliseconds,
  };
}
