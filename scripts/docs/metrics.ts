import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configReader, startServer } from '../../src/app.ts';
import { parse } from '../../src/exposition/index.ts';
import type { MetricFamily } from '../../src/metric/index.ts';

/** The families that a server with one upstream exposes. */
export async function exposedFamilies(): Promise<readonly MetricFamily[]> {
  const directory = mkdtempSync(join(tmpdir(), 'tonnage-docs-'));
  const listeners = { listen: '127.0.0.1:0', metrics: '127.0.0.1:0' };
  const upstreams = { lab: { url: 'http://127.0.0.1:1' } };
  const stated = { ...listeners, data: directory, log: { level: 'error' }, upstreams };
  const file = { name: 'stated', text: JSON.stringify(stated), directory };
  const config = configReader.read({ file, environment: {}, workingDirectory: directory, readSecret: () => '' });
  const server = await startServer({ config, acceptTimeZone: false, version: '' });
  const accept = 'application/openmetrics-text; version=1.0.0';
  try {
    const answer = await fetch(server.metricsUrl ?? '', { headers: { accept } });
    return parse(await answer.text(), { format: 'openmetrics' });
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * `docs/reference/metrics.md` with the type and the HELP text of each family as they are now. The rows themselves and their
 * labels are written by hand: a family without samples does not show its labels.
 */
export function withHelp(page: string, families: readonly MetricFamily[]): string {
  const suffixes: Readonly<Record<string, string>> = { counter: '_total', info: '_info' };
  const known = new Map(families.map((family) => [`${family.name}${suffixes[family.type] ?? ''}`, family]));
  return page.replaceAll(/^\| `(\w+)` \| \w+ \| (.*?)\| .+ \|$/gm, (row: string, name: string, labels: string) => {
    const family = known.get(name);
    return family === undefined
      ? row
      : `| \`${name}\` | ${family.type} | ${labels}| ${(family.help ?? '').replaceAll('|', '\\|')} |`;
  });
}
