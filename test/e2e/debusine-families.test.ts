import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { debusineSample, debusineSchema } from '../../src/collector/drivers/debusine/testing/database.ts';
import { suitePostgres } from '../support/postgres-suite.ts';
import { eventually } from '../support/redis.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

/**
 * The whole of what the public page of a Debusine source may show: families, and the names of their labels. The database has
 * rows for each of them.
 */
const architectures = ['amd64', 'arm64', 'i386', 'kfreebsd_amd64'].map((name) => `architecture_${name}`);
const standard: Readonly<Record<string, readonly string[]>> = {
  artifacts: ['category', 'scope'],
  assets: ['category', 'scope'],
  collections: ['category', 'scope'],
  groups: ['ephemeral', 'scope'],
  tokens: ['enabled', 'user', 'worker'],
  user_identities: ['active', 'issuer'],
  user_identities_activity: ['issuer', 'le', 'scope'],
  users: ['active'],
  user_activity: ['le', 'scope'],
  work_requests: ['backend', 'host_architecture', 'scope', 'status', 'task_name', 'task_type'],
  workers: [...architectures, 'busy', 'connected', 'host_architecture', 'worker_pool', 'worker_type'],
  worker_pool_runtime: ['worker_pool'],
  workflow_templates: ['scope', 'task_name'],
  workspaces: ['expires', 'private', 'scope'],
  file_store_size: ['backend', 'name'],
  file_store_max_size: ['backend', 'name'],
};
/** Those that the configuration switches on. */
const optional: Readonly<Record<string, readonly string[]>> = {
  artifact_file_size: ['category', 'scope'],
  artifact_file_counts: ['category', 'le', 'scope'],
  artifact_file_sizes: ['category', 'le', 'scope'],
  collection_sizes: ['category', 'le', 'scope'],
  tokens_last_seen: ['le', 'user', 'worker'],
  task_execution_times: ['le', 'scope', 'task_name', 'task_type'],
};

const directory = mkdtempSync(join(tmpdir(), 'tonnage-debusine-page-'));
const postgres = suitePostgres();
let server: Tonnage;

beforeAll(async () => {
  const dsn = postgres.server.dsn(await postgres.server.createDatabase(debusineSchema, debusineSample));
  const common = { driver: 'debusine', dsn, zeroFill: 'full', signonProviders: ['salsa'] };
  const families = Object.fromEntries(Object.keys(optional).map((name) => [name, true]));
  server = await startTonnage(directory, {
    sources: [
      { ...common, name: 'standard', path: 'standard' },
      { ...common, name: 'everything', path: 'everything', families },
    ],
  });
});
afterAll(async () => {
  await server.program.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** The page in a format, once it has all families. Those that are switched on come after the others. */
async function pageOf(name: string, format: string, families: readonly string[]): Promise<string> {
  let page = '';
  await eventually(`the page ${name} is complete`, async () => {
    const response = await fetch(`${server.url}/api/1.0/open-metrics/${name}/?format=${format}`);
    page = await response.text();
    return response.status === 200 && families.every((family) => `\n${page}`.includes(`\n# TYPE ${family} `));
  });
  return page;
}

/** Names of labels by family. Prometheus text has the count and the sum of a gauge histogram as families of their own. */
function labelNames(page: string): Readonly<Record<string, readonly string[]>> {
  const names: Record<string, readonly string[]> = {};
  let family = '';
  for (const line of page.split('\n')) {
    const [, declared] = /^# TYPE (\S+) /.exec(line) ?? [];
    family = declared?.replace(/_(gcount|gsum)$/, '') ?? family;
    if (line === '' || line.startsWith('#')) continue;
    expect(line).toMatch(new RegExp(`^${family}(_bucket|_gcount|_gsum)?[{ ]`));
    const own = [...line.replaceAll(/"(?:[^"\\]|\\[^])*"/g, '""').matchAll(/([^{,]+)=""/g)].map(
      ([, label = '']) => label,
    );
    names[family] = [...new Set([...(names[family] ?? []), ...own])].toSorted();
  }
  return names;
}

/** The pages, with their families. */
const pages = [
  ['standard', standard],
  ['everything', { ...standard, ...optional }],
] as const;

describe.each(['openmetrics', 'prometheus'])('the public page, as %s,', (format) => {
  it.each(pages)('%s, has exactly the families and labels that it may have', async (name, expected) => {
    const page = await pageOf(name, format, Object.keys(expected));
    expect(labelNames(page)).toEqual(expected);
  });

  it.each(pages)('%s, has no name of a user, and no free text', async (name, expected) => {
    const page = await pageOf(name, format, Object.keys(expected));
    for (const secret of ['anna', 'cleo', 'laptop', 'Schroot']) expect(page).not.toContain(secret);
  });
});
