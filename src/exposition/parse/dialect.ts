import type { Value } from '../../metric/index.ts';
import { numberOf, prometheusNumberOf, realNumber } from './number-text.ts';

/** Receives violations that are read anyway. Line and column count from 1. */
export type Warn = (line: number, column: number, reason: string) => void;

/** The syntax and rules of one format. */
export interface Dialect {
  readonly openMetrics: boolean;
  /** Requires exactly one space between parts, and none elsewhere. */
  readonly strictSpaces: boolean;
  readonly exemplars: boolean;
  readonly trailingComma: boolean;
  /** Enforces the format's rules for names, values and order. */
  readonly rules: boolean;
  /** Receives violations of the specification that its reference parser accepts. */
  readonly warn: Warn;
  readonly number: (text: string) => Value | undefined;
  /** Converts a timestamp's text to Unix seconds. */
  readonly timestamp: (text: string) => number | undefined;
}

function milliseconds(text: string): number | undefined {
  return /^[+-]?[0-9]+$/.test(text) ? Number(text) / 1000 : undefined;
}

/** Truncates to nanoseconds, as the reference parser does. */
function seconds(text: string): number | undefined {
  return realNumber(text.replace(/^([+-]?[0-9]*\.[0-9]{9})[0-9]+$/, '$1'));
}

/** OpenMetrics text 1.0, strict or lenient. */
export function openMetricsDialect(strict: boolean, warn: Warn): Dialect {
  return {
    openMetrics: true,
    strictSpaces: strict,
    exemplars: true,
    trailingComma: !strict,
    rules: strict,
    warn,
    number: numberOf,
    timestamp: seconds,
  };
}

/** Prometheus text 0.0.4 and 1.0.0, strict or lenient. */
export function prometheusDialect(strict: boolean, warn: Warn): Dialect {
  return {
    openMetrics: false,
    strictSpaces: false,
    exemplars: !strict,
    trailingComma: true,
    rules: strict,
    warn,
    number: prometheusNumberOf,
    timestamp: milliseconds,
  };
}
