const legacyMetricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const legacyLabelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Whether a family or sample name needs no quoting in any text format (OpenMetrics 1.0, `metricname`). */
export function isLegacyMetricName(name: string): boolean {
  return legacyMetricName.test(name);
}

/** Whether a label name needs no quoting in any text format (OpenMetrics 1.0, `label-name`: no colon). */
export function isLegacyLabelName(name: string): boolean {
  return legacyLabelName.test(name);
}

/**
 * The name for readers that accept only legacy names (`escaping=underscores`, their default): each code point that a legacy name
 * cannot contain becomes an underscore. Two names with the same result would be one series to such a reader.
 */
export function underscored(name: string, isLegacy: (name: string) => boolean): string {
  if (isLegacy(name)) return name;
  let escaped = '';
  for (const char of name) {
    escaped += isLegacy(escaped === '' ? char : `_${char}`) ? char : '_';
  }
  return escaped;
}
