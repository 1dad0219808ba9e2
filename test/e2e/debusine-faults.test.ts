import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { debusineSample, debusineSchema } from '../../src/collector/drivers/debusine/testing/database.ts';
import { differences, samplesOf } from '../../src/collector/drivers/debusine/testing/samples.ts';
import { suitePostgres } from '../support/postgres-suite.ts';
import { eventually } from '../support/redis.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

/** A real server reads real databases that fail in many ways. */
const directory = mkdtempSync(join(tmpdir(), 'tonnage-debusine-faults-'));
const postgres = suitePostgres();
let server: Tonnage;

interface SourceStatus {
  readonly name: string;
  readonly up: boolean | null;
  readonly lastSuccess?: string;
  readonly lastError?: { readonly class: string; readonly message: string };
}

/** A source with a database of its own, which it reads with a role of its own: both have its name, as its page has. */
class Source {
  readonly name: string;
  #database = '';

  constructor(name: string) {
    this.name = name;
  }

  /** Creates the database and the role, and returns the configuration. */
  async create(interval = '1500ms'): Promise<object> {
    const { name } = this;
    const grants = `CREATE ROLE ${name} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${name}`;
    this.#database = await postgres.server.createDatabase(debusineSchema, debusineSample, grants);
    const dsn = postgres.server.dsn(this.#database, name);
    return { name, driver: 'debusine', dsn, path: name, interval, deadline: '1500ms', statementTimeout: '500ms' };
  }

  sql(script: string): Promise<string> {
    return postgres.server.sql(this.#database, script);
  }

  /** Another session, as the superuser. */
  async connect(): Promise<Client> {
    const client = new Client(postgres.server.dsn(this.#database));
    await client.connect();
    return client;
  }

  /** State and wait of each session of the role, and whether it has no transaction. */
  async sessions(): Promise<readonly string[]> {
    const rows = await this.sql(
      `SELECT state, wait_event_type, xact_start IS NULL FROM pg_stat_activity WHERE usename = '${this.name}'`,
    );
    return rows === '' ? [] : rows.split('\n');
  }

  endSessions(): Promise<string> {
    return this.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${this.name}'`);
  }

  page(): Promise<Response> {
    return fetch(`${server.url}/api/1.0/open-metrics/${this.name}/`);
  }

  async status(): Promise<SourceStatus> {
    const response = await fetch(`${server.url}/api/v1/sources`);
    const { sources } = (await response.json()) as { readonly sources: readonly SourceStatus[] };
    const status = sources.find(({ name }) => name === this.name);
    if (!status) throw new Error(`no source is called ${this.name}`);
    return status;
  }

  /** The sample of a family about sources. Undefined: there is none. */
  async about(family: string, labels = ''): Promise<number | undefined> {
    const start = `tonnage_source_${family}{source="${this.name}"${labels}} `;
    const line = (await server.metrics()).split('\n').find((each) => each.startsWith(start));
    return line === undefined ? undefined : Number(line.slice(start.length));
  }

  /** Failed reads so far, of one class or of all. */
  async failures(errorClass?: string): Promise<number> {
    const classes = errorClass === undefined ? ['timeout', 'unreachable', 'denied', 'invalid', 'failed'] : [errorClass];
    const counts = await Promise.all(classes.map((name) => this.about('errors_total', `,class="${name}"`)));
    return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  }

  /** Messages of the log about it, in order. */
  logged(): readonly string[] {
    return server.program
      .output()
      .split('\n')
      .flatMap((line) => {
        if (!line.startsWith('{') || !line.includes(`"source":"${this.name}"`)) return [];
        return [(JSON.parse(line) as { readonly msg: string }).msg];
      });
  }

  async isUp(): Promise<void> {
    await eventually(`${this.name} is up`, async () => (await this.status()).up === true);
  }

  /** Waits for a successful read that began after this call: one that ended later than its deadline allows to older ones. */
  async isReadAgain(): Promise<void> {
    const before = new Date(Date.now() + 1_500).toISOString();
    await eventually(`${this.name} is read`, async () => ((await this.status()).lastSuccess ?? '') > before);
  }
}

interface Fault {
  /** What the database does, for the title. */
  readonly what: string;
  readonly source: Source;
  /** The class of its errors, and what the message names. */
  readonly errorClass: string;
  readonly message: RegExp;
  readonly begin: (source: Source) => Promise<unknown> | void;
  readonly end: (source: Source) => Promise<unknown>;
}

/** Faults of the whole server. */
const farm = new Source('farm');
const faultsOfServer: readonly Fault[] = [
  {
    what: 'is stopped',
    source: farm,
    errorClass: 'unreachable',
    message: /database/,
    begin: () => postgres.server.stop(),
    end: () => postgres.server.restart(),
  },
  {
    what: 'has crashed',
    source: farm,
    errorClass: 'unreachable',
    message: /database/,
    begin: () => postgres.server.kill(),
    end: () => postgres.server.restart(),
  },
  {
    what: 'does not answer',
    source: farm,
    errorClass: 'timeout',
    message: /within 1500 ms/,
    begin: () => postgres.server.pause(),
    end: () => postgres.server.resume(),
  },
];

/** Faults of one database or role. Each has a source of its own, so that they may happen at the same time. */
const lockers: Client[] = [];
const faultsOfDatabase: readonly Fault[] = [
  {
    what: 'has a table that another session locks',
    source: new Source('locked'),
    errorClass: 'timeout',
    message: /db_workrequest/,
    begin: async (source) => {
      const locker = await source.connect();
      lockers.push(locker);
      await locker.query('BEGIN; LOCK TABLE db_workrequest IN ACCESS EXCLUSIVE MODE');
    },
    end: () => Promise.all(lockers.map((locker) => locker.end())),
  },
  {
    what: 'is slow',
    source: new Source('slow'),
    errorClass: 'timeout',
    message: /db_group/,
    begin: (source) =>
      source.sql(`
        ALTER TABLE db_group RENAME TO fast_group;
        CREATE VIEW db_group AS SELECT fast_group.* FROM fast_group, pg_sleep(60);
        GRANT SELECT ON db_group TO ${source.name}`),
    end: (source) => source.sql('DROP VIEW db_group; ALTER TABLE fast_group RENAME TO db_group'),
  },
  {
    what: 'has no such table any more',
    source: new Source('without_table'),
    errorClass: 'invalid',
    message: /db_asset/,
    begin: (source) => source.sql('ALTER TABLE db_asset RENAME TO db_property'),
    end: (source) => source.sql('ALTER TABLE db_property RENAME TO db_asset'),
  },
  {
    what: 'has no such column any more',
    source: new Source('without_column'),
    errorClass: 'invalid',
    message: /expiration_delay/,
    begin: (source) => source.sql('ALTER TABLE db_workspace RENAME COLUMN expiration_delay TO delay'),
    end: (source) => source.sql('ALTER TABLE db_workspace RENAME COLUMN delay TO expiration_delay'),
  },
  {
    what: 'does not let the role read a table any more',
    source: new Source('without_grant'),
    errorClass: 'denied',
    message: /db_token/,
    begin: (source) => source.sql(`REVOKE SELECT ON db_token FROM ${source.name}`),
    end: (source) => source.sql(`GRANT SELECT ON db_token TO ${source.name}`),
  },
  {
    what: 'does not let the role log in any more',
    source: new Source('without_login'),
    errorClass: 'denied',
    message: /role/,
    begin: async (source) => {
      await source.sql(`ALTER ROLE ${source.name} NOLOGIN`);
      await source.endSessions();
    },
    end: (source) => source.sql(`ALTER ROLE ${source.name} LOGIN`),
  },
];

const quiet = new Source('quiet');
beforeAll(async () => {
  const sources = [farm, ...faultsOfDatabase.map(({ source }) => source)];
  const configured = await Promise.all([quiet.create('1h'), ...sources.map((source) => source.create())]);
  server = await startTonnage(directory, { sources: configured });
  await Promise.all([quiet, ...sources].map((source) => source.isUp()));
});
afterAll(async () => {
  await server.program.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** The page stays as it was while the fault lasts. The log says so once. Afterwards the source is up again by itself. */
async function expectLastSnapshot({ source, errorClass, message, begin, end }: Fault): Promise<void> {
  const before = source.logged().length;
  const countBefore = await source.failures(errorClass);
  await begin(source);
  try {
    await eventually('reads fail', async () => (await source.failures(errorClass)) >= countBefore + 2);
    const { lastSuccess, up, lastError } = await source.status();
    expect({ up, class: lastError?.class }).toEqual({ up: false, class: errorClass });
    expect(lastError?.message).toMatch(message);
    expect(await source.about('up')).toBe(0);

    // One line when it began. A second one at most, if the first read failed in another way than the next ones.
    const warnings = source.logged().slice(before);
    expect([1, 2]).toContain(warnings.length);
    expect(new Set(warnings)).toEqual(new Set(['reading a source failed']));

    const answer = await source.page();
    const text = await answer.text();
    const count = await source.failures();
    await eventually('one more read fails', async () => (await source.failures()) > count);
    const later = await source.page();
    expect(source.logged().slice(before)).toHaveLength(warnings.length);

    expect([answer.status, later.status]).toEqual([200, 200]);
    expect(differences(samplesOf(await later.text()), samplesOf(text))).toEqual([]);
    expect((await source.status()).lastSuccess).toBe(lastSuccess);
    expect(later.headers.get('last-modified')).toBe(answer.headers.get('last-modified'));
    expect(later.headers.get('cache-control')).toMatch(/\bmax-age=0\b/);
    expect(Number(later.headers.get('age'))).toBeGreaterThan(Number(answer.headers.get('age')));
  } finally {
    await end(source);
  }
  await source.isUp();
  expect(source.logged().at(-1)).toBe('a source is readable again');
  expect(await source.about('up')).toBe(1);
  expect((await source.page()).headers.get('age')).toBeNull();
}

describe('in the database', () => {
  it('each source has one session, with no transaction between its reads', async () => {
    expect(await quiet.sessions()).toEqual(['idle|Client|t']);
    // A read takes milliseconds, every 1.5 seconds.
    await eventually('the source does not read', async () => {
      const sessions = await farm.sessions();
      expect(sessions).toHaveLength(1);
      return sessions[0] === 'idle|Client|t';
    });
  });

  it('no queries queue behind a lock', async () => {
    const locker = await farm.connect();
    await locker.query('BEGIN; LOCK TABLE db_artifact IN ACCESS EXCLUSIVE MODE');
    const count = await farm.failures('timeout');
    let most = 0;
    await eventually('three reads have ended in the timeout', async () => {
      const waiting = (await farm.sessions()).filter((session) => session.includes('|Lock|'));
      most = Math.max(most, waiting.length);
      return (await farm.failures('timeout')) >= count + 3;
    });
    await locker.end();
    expect(most).toBe(1);
    await farm.isUp();
  });
});

describe.concurrent('while the database', () => {
  it.each(faultsOfDatabase)('$what, the page stays as it was, and the log says so once', (fault) => {
    return expectLastSnapshot(fault);
  });
});

describe('while the server of the database', () => {
  it.each(faultsOfServer)('$what, the page stays as it was, and the log says so once', (fault) => {
    return expectLastSnapshot(fault);
  });
});

describe('after the database', () => {
  it.each([
    ['has ended the session', () => farm.endSessions()],
    [
      'has restarted',
      async () => {
        await postgres.server.stop();
        await postgres.server.restart();
      },
    ],
  ])('%s, the source is up again by itself', async (_, interrupt) => {
    await interrupt();
    await farm.isReadAgain();
    expect(await farm.sessions()).toHaveLength(1);
  });

  it('has one more column and one more table, nothing changes', async () => {
    const count = await farm.failures();
    await farm.sql(
      `ALTER TABLE db_scope ADD COLUMN theme text NOT NULL DEFAULT 'dark'; CREATE TABLE db_theme (id bigint)`,
    );
    await farm.isReadAgain();
    expect(await farm.failures()).toBe(count);
  });
});
