/** HELP text for OpenMetrics: escapes backslashes, line ends and double quotes. */
export function openMetricsHelp(help: string): string {
  return prometheusHelp(help).replaceAll('"', '\\"');
}

/** HELP text for Prometheus text: escapes backslashes and line ends. */
export function prometheusHelp(help: string): string {
  return help
    .toWellFormed()
    .replaceAll('\\', '\\\\')
    .replace(/\r\n?|\n/g, '\\n');
}
