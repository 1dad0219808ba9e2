/** HELP text for OpenMetrics: backslash, line feed and double quote escaped. A carriage return would end no line here. */
export function openMetricsHelp(help: string): string {
  return prometheusHelp(help).replaceAll('"', '\\"');
}

/** HELP text for Prometheus text: backslash and line feed escaped. */
export function prometheusHelp(help: string): string {
  return help
    .toWellFormed()
    .replaceAll('\\', '\\\\')
    .replace(/\r\n?|\n/g, '\\n');
}
