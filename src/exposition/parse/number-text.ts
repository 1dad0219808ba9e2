import type { Value } from '../../metric/index.ts';

const integer = /^[+-]?[0-9]+$/;
const real = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const infinity = /^([+-]?)inf(?:inity)?$/i;
const nan = /^[+-]?nan$/i;
const hexadecimal = /^([+-]?)0x([0-9a-f]*)(?:\.([0-9a-f]*))?p([+-]?[0-9]+)$/i;

/** Parses a `realnumber` of OpenMetrics 1.0, which excludes infinity and NaN. `undefined` for anything else. */
export function realNumber(text: string): number | undefined {
  return real.test(text) ? Number(text) : undefined;
}

/** Parses a `number` of OpenMetrics 1.0. Large integers become `bigint`. `undefined` for anything else. */
export function numberOf(text: string): Value | undefined {
  if (real.test(text)) {
    const value = Number(text);
    return Number.isSafeInteger(value) || !integer.test(text) ? value : BigInt(text.replace('+', ''));
  }
  const sign = infinity.exec(text)?.[1];
  if (sign !== undefined) return sign === '-' ? -Infinity : Infinity;
  return nan.test(text) ? NaN : undefined;
}

/** Parses a number of Prometheus text. It allows hexadecimal floats, as Go's `ParseFloat` does. */
export function prometheusNumberOf(text: string): Value | undefined {
  const match = hexadecimal.exec(text);
  if (match === null) return numberOf(text);
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const mantissa = Number.parseInt(`${whole}${fraction}`, 16);
  const value = mantissa * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign === '-' ? -value : value;
}
