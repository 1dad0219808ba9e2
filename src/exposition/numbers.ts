/**
 * A float in the canonical form of `le` and `quantile` label values (OpenMetrics 1.0, "Considerations: Canonical
 * Numbers"): with a decimal point, or, from 1e+06 and below 1e-04, with an exponent of at least two digits.
 */
export function canonicalFloat(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  if (Number.isNaN(value)) return 'NaN';
  const [mantissa = '0', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) {
    const plain = String(value);
    return plain.includes('.') ? plain : `${plain}.0`;
  }
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** A float without a needless decimal point, as other exporters write integers in `le`: `1`, not `1.0`. */
export function plainFloat(value: number): string {
  return Number.isInteger(value) ? String(value) : canonicalFloat(value);
}
