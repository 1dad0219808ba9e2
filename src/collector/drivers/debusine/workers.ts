import { limits } from '../../../base/index.ts';
import { LabelProduct, lazily, type OptionalValue, type Value } from '../../../metric/index.ts';
import { numberOf, rowsPerStep, type DebusineFamily, type FamilySettings, type Query, type Row } from './family.ts';
import { poolRuntimeQuery } from './pools-and-stores.ts';
import { gauge, Sums } from './sums.ts';

/** A value of metadata, or NULL if it is far too large for a list of architectures: a worker may send any JSON. */
function bounded(value: string): string {
  return `CASE WHEN pg_column_size(${value}) <= ${limits.debusineMetadataBytesMax} THEN ${value} END`;
}

/** Workers by their labels, with the metadata as JSON. */
const workersQuery: Query = {
  reads: {
    db_worker: ['id', 'worker_type', 'worker_pool_id', 'connected_at', 'static_metadata', 'dynamic_metadata'],
    db_workerpool: ['id', 'name'],
    db_workrequest: ['worker_id', 'status'],
  },
  sql: `
    SELECT worker_type, pool, connected, busy,
      ${bounded("static_metadata->'system:host_architecture'")},
      ${bounded("dynamic_metadata->'system:host_architecture'")},
      ${bounded("static_metadata->'system:architectures'")},
      ${bounded("dynamic_metadata->'system:architectures'")}, count(*)
    FROM (
      SELECT db_worker.worker_type, coalesce(db_workerpool.name, '') AS pool,
        (db_worker.connected_at IS NOT NULL)::integer AS connected,
        EXISTS (
          SELECT FROM db_workrequest
          WHERE db_workrequest.worker_id = db_worker.id AND db_workrequest.status IN ('pending', 'running')
        )::integer AS busy,
        db_worker.static_metadata, db_worker.dynamic_metadata
      FROM db_worker
      LEFT JOIN db_workerpool ON db_workerpool.id = db_worker.worker_pool_id
    ) AS workers
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8`,
};

/** The prefix of the labels of architectures. */
const prefix = 'architecture_';

/** A list of architectures. Debusine takes a text in its place as a list of all its parts. */
type Architectures = readonly string[] | string;

/** Workers with equal metadata. */
interface Workers {
  readonly type: string;
  readonly pool: string;
  readonly connected: string;
  readonly busy: string;
  readonly host: string;
  readonly architectures: Architectures;
  readonly number: Value;
}

/** What the metadata of all workers mentions, whether another value takes precedence or not. */
interface Mentioned {
  readonly hosts: Set<string>;
  /** By the name of the label: names that differ only in characters which no label may have share one. */
  readonly architectures: Map<string, Architecture>;
}

/** The architectures of one label. */
interface Architecture {
  readonly names: Set<string>;
  /** How often workers mention them. */
  mentions: number;
}

function workersOf(row: Row, mentioned: Mentioned): Workers {
  const [type, pool, connected, busy, ...metadata] = row;
  const number = numberOf(metadata.pop());
  const [staticHost, dynamicHost, staticList, dynamicList] = metadata.map((text) => jsonOf(text ?? null));
  const hosts = [staticHost, dynamicHost].map(hostOf);
  for (const host of hosts) if (host !== '') mentioned.hosts.add(host);
  const lists = [staticList, dynamicList].map(architecturesOf);
  for (const list of lists) for (const architecture of list) mention(architecture, mentioned);
  return {
    type: type ?? '',
    pool: pool ?? '',
    connected: connected ?? '',
    busy: busy ?? '',
    host: hosts.find((host) => host !== '') ?? '',
    architectures: lists.find((list) => list.length > 0) ?? [],
    number,
  };
}

function jsonOf(text: string | null): unknown {
  return text === null ? undefined : JSON.parse(text);
}

/** A host architecture as a label value. A worker may send any JSON; what is no text counts as absent. */
function hostOf(host: unknown): string {
  return typeof host === 'string' ? host : '';
}

function architecturesOf(list: unknown): Architectures {
  if (typeof list === 'string') return list;
  return Array.isArray(list) ? list.filter((element) => typeof element === 'string') : [];
}

/** Adds an architecture, which for a text is one of its characters. */
function mention(architecture: string, { architectures }: Mentioned): void {
  if (architecture.length > limits.debusineTextCharactersMax) return;
  const label = prefix + architecture.replaceAll(/[^A-Za-z0-9_]/gu, '_');
  const known = architectures.get(label) ?? { names: new Set(), mentions: 0 };
  known.names.add(architecture);
  known.mentions++;
  architectures.set(label, known);
}

/** The labels of at most `limits.debusineTextsMax` architectures, sorted: those that are mentioned most. */
function labelsOf({ architectures }: Mentioned): readonly string[] {
  const labels = [...architectures].toSorted(
    ([one, { mentions }], [other, { mentions: others }]) => others - mentions || (one < other ? -1 : 1),
  );
  return labels
    .slice(0, limits.debusineTextsMax)
    .map(([label]) => label)
    .toSorted();
}

/** The label values of workers under the rules of the configuration. */
class WorkerLabels {
  /** The architectures of each of the first labels. */
  readonly #architectures: readonly (readonly string[])[];
  readonly #isDocument: boolean;
  readonly names: readonly string[];
  readonly product: LabelProduct;

  constructor(mentioned: Mentioned, rules: FamilySettings['labelRules']) {
    const labels = labelsOf(mentioned);
    this.#architectures = labels.map((label) => [...(mentioned.architectures.get(label)?.names ?? [])]);
    this.#isDocument = rules === 'document';
    this.names = [...labels, 'busy', 'connected', 'host_architecture', 'worker_pool', 'worker_type'];
    this.product = new LabelProduct(this.names);
  }

  of({ type, pool, connected, busy, host, architectures }: Workers): readonly OptionalValue[] {
    const hasArchitectures = type === 'external' || !this.#isDocument;
    return [
      ...this.#architectures.map((names) =>
        this.#flag(hasArchitectures && names.some((name) => architectures.includes(name))),
      ),
      busy,
      connected,
      hasArchitectures ? host : undefined,
      this.#pool(pool),
      type,
    ];
  }

  /** The values of workers of one type, for a product. External ones have architectures. */
  lists(type: string, hosts: readonly string[], pools: readonly string[]): readonly (readonly OptionalValue[])[] {
    const isExternal = type === 'external';
    const architectures = isExternal ? [this.#flag(false), this.#flag(true)] : [this.#flag(false)];
    return [
      ...this.#architectures.map(() => architectures),
      flags,
      flags,
      isExternal || !this.#isDocument ? hosts : [undefined],
      pools.map((pool) => this.#pool(pool)),
      [type],
    ];
  }

  #flag(isPresent: boolean): OptionalValue {
    if (isPresent) return '1';
    return this.#isDocument ? undefined : '0';
  }

  #pool(pool: string): OptionalValue {
    return pool === '' && this.#isDocument ? undefined : pool;
  }
}

const flags = ['0', '1'];

export const workers: DebusineFamily = {
  name: 'workers',
  labels: () => [`${prefix}*`, 'busy', 'connected', 'host_architecture', 'worker_pool', 'worker_type'],
  queries: [workersQuery, poolRuntimeQuery],
  *build(rows, { zeroFill, labelRules }, known) {
    const mentioned: Mentioned = { hosts: new Set(), architectures: new Map() };
    const found: Workers[] = [];
    for (const [index, row] of rows(workersQuery).entries()) {
      found.push(workersOf(row, mentioned));
      if (index % rowsPerStep === 0) yield;
    }
    const labels = new WorkerLabels(mentioned, labelRules);
    const sums = new Sums();
    for (const [index, each] of found.entries()) {
      sums.add(labels.product.of(labels.of(each)), each.number);
      if (index % rowsPerStep === 0) yield;
    }
    // A set, because nothing in the database keeps a pool from having an empty name.
    const pools = [...new Set(['', ...rows(poolRuntimeQuery).map(([pool]) => pool ?? '')])].toSorted();
    const zeros = lazily(function* () {
      if (zeroFill === 'none') return;
      for (const type of ['celery', 'signing']) yield* known.all(labels.names, labels.lists(type, [''], ['']));
      // The number of these doubles with each architecture.
      if (zeroFill === 'full')
        yield* known.all(labels.names, labels.lists('external', [...mentioned.hosts].toSorted(), pools));
    });
    return gauge('workers', 'Number of Workers', sums.points(zeros));
  },
};
