import type { Value } from '../../metric/index.ts';
import { numberOf, prometheusNumberOf, realNumber } from './number-text.ts';

/** Takes what is against a rule and is read all the same; line and column count from 1. */
export type Warn = (line: number, column: number, reason: string) => void;

/** How the lines of one format are read. */
export interface Dialect {
  readonly openMetrics: boolean;
  /** Exactly one space between parts, and none elsewhere. */
  readonly strictSpaces: boolean;
  readonly exemplars: boolean;
  readonly trailingComma: boolean;
  /** Enforces what the format says of names, values and order; without it whatever can be understood is taken. */
  readonly rules: boolean;
  /** Takes a breach of the specification that its reference parser lets pass. */
  readonly warn: Warn;
  readonly number: (text: string) => Value | undefined;
  /** A timestamp's text in Unix seconds. */
  readonly timestamp: (text: string) => number | undefined;
}

function milliseconds(text: string): number | undefined {
  return /^[+-]?[0-9]+$/.test(text) ? Number(text) / 1000 : undefined;
}

/** Finer than nanoseconds is cut off, as the reference parser does: both name the same time. */
function seconds(text: string): number | undefined {
  return realNumber(text.replace(/^([+-]?[0-9]*\.[0-9]{9})[0-9]+$/, '$1'));
}

/** OpenMetrics text 1.0, or a lenient reading of it. */
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

/** Prometheus text 0.0.4 and 1.0.0, or a lenient reading of it. */
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
