import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  debusineExample,
  debusineSample,
  debusineSchema,
} from '../../src/collector/drivers/debusine/testing/database.ts';
import { differences, sampleKey, samplesOf } from '../../src/collector/drivers/debusine/testing/samples.ts';
import { suitePostgres } from '../support/postgres-suite.ts';
import { startPrometheus, type Prometheus, type PrometheusSeries } from '../support/prometheus.ts';
import { eventually } from '../support/redis.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

/** A real Prometheus scrapes two pages: the example of Debusine's design document, and the sample with every series. */
const directory = mkdtempSync(join(tmpdir(), 'tonnage-debusine-prometheus-'));
const postgres = suitePostgres();
let server: Tonnage;
let prometheus: Prometheus;
const pageOf = (name: string) => `${server.url}/api/1.0/open-metrics/${name}/`;

beforeAll(async () => {
  const database = async (...scripts: readonly string[]) => {
    return postgres.server.dsn(await postgres.server.createDatabase(debusineSchema, ...scripts));
  };
  const common = { driver: 'debusine', interval: '1h' };
  server = await startTonnage(directory, {
    sources: [
      {
        ...common,
        name: 'example',
        path: 'example',
        dsn: await database(debusineExample),
        labelRules: 'document',
        zeroFill: 'none',
      },
      { ...common, name: 'sample', path: 'sample', dsn: await database(debusineSample), zeroFill: 'full' },
    ],
  });
  await eventually('both pages are there', async () => {
    const answers = await Promise.all(['example', 'sample'].map((name) => fetch(pageOf(name))));
    return answers.every(({ status }) => status === 200);
  });
  const { host } = new URL(server.url);
  const jobs = ['example', 'sample'].map((name) => ({
    job_name: name,
    metrics_path: `/api/1.0/open-metrics/${name}/`,
    static_configs: [{ targets: [host] }],
  }));
  prometheus = await startPrometheus(join(directory, 'prometheus'), jobs);
  await Promise.all(jobs.map(({ job_name }) => prometheus.scraped(job_name)));
});
afterAll(async () => {
  await prometheus.stop();
  await server.program.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** A series as the document writes it, without what Prometheus adds. */
function asWritten({ metric, value }: PrometheusSeries): string {
  const { __name__: name = '', job: _job, instance: _instance, ...labels } = metric;
  const pairs = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `${name}{${pairs.map(([label, text]) => `${label}="${text}"`).join(', ')}} ${value}`;
}

describe('Prometheus', () => {
  it('answers the ten series of the example in the document of Debusine, and no other of these families', async () => {
    const series = await prometheus.query('{job="example", __name__=~"work_requests|workers"}');
    const task = 'task_name="sbuild", task_type="Worker"';
    const amd64 = 'architecture_amd64="1", architecture_i386="1"';
    const arm64 = 'architecture_arm64="1", architecture_armel="1", architecture_armhf="1"';
    expect(series.map(asWritten).toSorted()).toEqual(
      [
        `work_requests{backend="auto", host_architecture="amd64", scope="debian", status="running", ${task}} 1`,
        `work_requests{backend="auto", host_architecture="amd64", scope="debian", status="pending", ${task}} 3`,
        `work_requests{backend="auto", host_architecture="amd64", scope="another", status="pending", ${task}} 2`,
        `work_requests{backend="unshare", host_architecture="amd64", scope="debian", status="pending", ${task}} 2`,
        `work_requests{backend="auto", host_architecture="i386", scope="debian", status="pending", ${task}} 1`,
        'work_requests{scope="debian", status="running", task_name="sbuild", task_type="Workflow"} 1',
        `workers{${amd64}, busy="1", connected="1", host_architecture="amd64", worker_type="external"} 1`,
        `workers{${amd64}, busy="0", connected="0", host_architecture="amd64", worker_type="external"} 5`,
        `workers{${arm64}, busy="0", connected="1", host_architecture="arm64", worker_type="external"} 5`,
        'workers{busy="0", connected="1", worker_type="celery"} 1',
      ].toSorted(),
    );
  });

  it.each(['example', 'sample'])('has the series of the page %s, with their values, and no other', async (name) => {
    const page = samplesOf(await (await fetch(pageOf(name))).text(), { emptyLabels: 'drop' });
    // Prometheus adds these for each target.
    const added = 'up|scrape_(duration_seconds|samples_scraped|samples_post_metric_relabeling|series_added)';
    const series = await prometheus.query(`{job="${name}", __name__!~"${added}"}`);
    const stored = series.map(({ metric, value }) => {
      const { __name__: family = '', job: _job, instance: _instance, ...labels } = metric;
      return [sampleKey(family, new Map(Object.entries(labels))), value] as const;
    });
    expect(stored).toHaveLength(page.size);
    expect(differences(new Map(stored), page)).toEqual([]);
  });
});
