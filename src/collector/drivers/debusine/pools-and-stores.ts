import { LabelProduct } from '../../../metric/index.ts';
import { numberOf, rowsPerStep, type DebusineFamily, type Query } from './family.ts';
import { gauge, Sums } from './sums.ts';

/**
 * The run time of every pool in seconds: of finished workers, and of existing ones until now. The fraction is truncated
 * toward zero after the ages have been added up.
 */
export const poolRuntimeQuery: Query = {
  reads: {
    db_workerpool: ['id', 'name'],
    db_workerpoolstatistics: ['worker_pool_id', 'runtime'],
    db_worker: ['worker_pool_id', 'instance_created_at'],
  },
  sql: `
    SELECT db_workerpool.name, (coalesce(finished.seconds, 0) + coalesce(running.seconds, 0))::bigint
    FROM db_workerpool
    LEFT JOIN (
      SELECT worker_pool_id, sum(runtime) AS seconds FROM db_workerpoolstatistics GROUP BY 1
    ) AS finished ON finished.worker_pool_id = db_workerpool.id
    LEFT JOIN (
      SELECT worker_pool_id, trunc(sum(extract(epoch FROM $1::timestamptz - instance_created_at))) AS seconds
      FROM db_worker
      WHERE worker_pool_id IS NOT NULL AND instance_created_at IS NOT NULL
      GROUP BY 1
    ) AS running ON running.worker_pool_id = db_workerpool.id`,
};

const storesQuery: Query = {
  reads: { db_filestore: ['backend', 'name', 'total_size', 'max_size'] },
  sql: 'SELECT backend, name, total_size, max_size FROM db_filestore',
};

interface Sizes {
  readonly name: string;
  readonly help: string;
  /** The labels are the first columns. */
  readonly labels: readonly string[];
  readonly query: Query;
  /** The column of the value. */
  readonly column: number;
  /** Whether a row without a value, or with 0, has no series. */
  readonly skipsZero?: boolean;
}

/** A gauge of the values of rows, without zero filling. */
function sizes({ name, help, labels, query, column, skipsZero = false }: Sizes): DebusineFamily {
  return {
    name,
    labels: () => labels,
    queries: [query],
    *build(rows) {
      const product = new LabelProduct(labels);
      const sums = new Sums();
      for (const [index, row] of rows(query).entries()) {
        const value = numberOf(row[column]);
        if (!skipsZero || Number(value) !== 0) sums.add(product.of(labels.map((_, at) => row[at] ?? '')), value);
        if (index % rowsPerStep === 0) yield;
      }
      return gauge(name, help, sums.points([]));
    },
  };
}

export const workerPoolRuntime = sizes({
  name: 'worker_pool_runtime',
  help: 'Execution time of WorkerPools',
  labels: ['worker_pool'],
  query: poolRuntimeQuery,
  column: 1,
});

export const fileStoreSize = sizes({
  name: 'file_store_size',
  help: 'total_size of FileStores',
  labels: ['backend', 'name'],
  query: storesQuery,
  column: 2,
});

export const fileStoreMaxSize = sizes({
  name: 'file_store_max_size',
  help: 'max_size of FileStores',
  labels: ['backend', 'name'],
  query: storesQuery,
  column: 3,
  skipsZero: true,
});
