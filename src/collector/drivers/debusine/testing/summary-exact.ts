import type { Client } from 'pg';
import { expect } from 'vitest';

/** Expects the views of the summary to contain what the tables contain, which is computed here without SQL. */
export async function expectExact(client: Client): Promise<void> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows: artifacts } =
    await client.query<Record<'id' | 'category' | 'workspace_id', string>>('SELECT * FROM db_artifact');
  const { rows: files } = await client.query<{ id: string; size: string }>('SELECT * FROM db_file');
  const { rows: held } = await client.query<{ artifact_id: string; file_id: string }>(
    'SELECT * FROM db_fileinartifact',
  );
  const { rows: sizes } = await client.query<object>('SELECT * FROM tonnage.artifact_file_sizes');
  const { rows: counts } = await client.query<object>('SELECT * FROM tonnage.artifact_file_counts');
  const { rows: state } = await client.query('SELECT * FROM tonnage.summary_state');
  await client.query('COMMIT');

  const byId = new Map(artifacts.map((each) => [each.id, each]));
  const sizeOf = new Map(files.map(({ id, size }) => [id, BigInt(size)]));
  const expectedSizes = new Sums();
  const filesOf = new Map<string, number>();
  for (const { artifact_id, file_id } of held) {
    filesOf.set(artifact_id, (filesOf.get(artifact_id) ?? 0) + 1);
    const artifact = byId.get(artifact_id);
    const size = sizeOf.get(file_id);
    if (artifact && size !== undefined) expectedSizes.add(artifact, sizeBounds, size);
  }
  const expectedCounts = new Sums();
  for (const artifact of artifacts) expectedCounts.add(artifact, countBounds, BigInt(filesOf.get(artifact.id) ?? 0));
  expect(textsOf(sizes)).toEqual(expectedSizes.texts());
  expect(textsOf(counts)).toEqual(expectedCounts.texts());
  expect(state).toEqual([{ version: 1, failure: null }]);
}

const sizeBounds = [
  1_024n,
  4_096n,
  16_384n,
  65_536n,
  262_144n,
  1_048_576n,
  4_194_304n,
  16_777_216n,
  67_108_864n,
  268_435_456n,
  1_073_741_824n,
  4_294_967_296n,
  17_179_869_184n,
];
const countBounds = [0n, 1n, 2n, 5n, 10n, 20n, 50n, 100n, 200n, 500n, 1_000n];

class Sums {
  readonly #sums = new Map<string, { count: number; sum: bigint }>();

  add(
    artifact: { readonly category: string; readonly workspace_id: string },
    bounds: readonly bigint[],
    value: bigint,
  ) {
    const bucket = bounds.filter((bound) => bound < value).length;
    const key = `${artifact.category} ${artifact.workspace_id} ${bucket}`;
    const { count, sum } = this.#sums.get(key) ?? { count: 0, sum: 0n };
    this.#sums.set(key, { count: count + 1, sum: sum + value });
  }

  texts(): readonly string[] {
    return [...this.#sums].map(([key, { count, sum }]) => `${key} ${count} ${sum}`).toSorted();
  }
}

const textsOf = (rows: readonly object[]) => rows.map((row) => Object.values(row).join(' ')).toSorted();
