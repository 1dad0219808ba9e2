import fc from 'fast-check';

/** A transaction that changes artifacts, files, and which artifact holds which file. */
export interface RandomTransaction {
  readonly isolation: 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';
  readonly statements: readonly string[];
  readonly end: 'COMMIT' | 'ROLLBACK';
}

/** Makes its transaction compact at commit, as a trigger does once in many rows. */
export const compactAtCommit = 'INSERT INTO tonnage.compaction_due VALUES (true)';

// Sizes on both sides of the bounds of buckets.
const size = fc.constantFrom(0, 1, 1_023, 1_024, 1_025, 4_097, 1_048_576, 17_179_869_184, 17_179_869_185, 2 ** 52);
const category = fc.constantFrom('debian:upload', 'debusine:test', 'site:own');
const workspace = fc.integer({ min: 1, max: 4 });
const artifact = fc.integer({ min: 1, max: 25 });
const file = fc.integer({ min: 1, max: 30 });
const held = fc.integer({ min: 1, max: 300 });
const count = fc.integer({ min: 1, max: 12 });

const insertArtifact = fc
  .tuple(artifact, category, workspace)
  .map(
    ([id, name, to]) =>
      `INSERT INTO db_artifact (id, category, workspace_id) VALUES (${id}, '${name}', ${to}) ON CONFLICT (id) DO UPDATE SET category = excluded.category`,
  );
const insertFile = fc
  .tuple(file, size)
  .map(([id, bytes]) => `INSERT INTO db_file (id, size) VALUES (${id}, ${bytes}) ON CONFLICT DO NOTHING`);
const insertHeld = fc
  .tuple(held, artifact, file, count)
  .map(
    ([id, from, holds, rows]) =>
      `INSERT INTO db_fileinartifact (id, artifact_id, file_id) SELECT ${id} + i, ${from}, ${holds} + i % 3 FROM generate_series(1, ${rows}) AS i ON CONFLICT DO NOTHING`,
  );
const updateOne = fc.oneof(
  fc
    .tuple(artifact, category, workspace)
    .map(([id, name, to]) => `UPDATE db_artifact SET category = '${name}', workspace_id = ${to} WHERE id = ${id}`),
  fc.tuple(file, size).map(([id, bytes]) => `UPDATE db_file SET size = ${bytes} WHERE id = ${id}`),
  fc
    .tuple(held, artifact, file)
    .map(([id, to, holds]) => `UPDATE db_fileinartifact SET artifact_id = ${to}, file_id = ${holds} WHERE id = ${id}`),
  artifact.map((id) => `UPDATE db_artifact SET workspace_id = workspace_id WHERE id = ${id}`),
);
const deleteOne = fc.oneof(
  held.map((id) => `DELETE FROM db_fileinartifact WHERE id = ${id}`),
  artifact.map((id) => `DELETE FROM db_artifact WHERE id = ${id}`),
  file.map((id) => `DELETE FROM db_file WHERE id = ${id}`),
);
/** Statements about many rows or two tables. The trigger of one table records before that of the other. */
const complex = fc.oneof(
  artifact.map((id) => `UPDATE db_artifact SET category = 'debusine:test' WHERE id <= ${id}`),
  artifact.map((id) => `UPDATE db_artifact SET id = -id WHERE id = ${id}`),
  held.map((id) => `DELETE FROM db_fileinartifact WHERE id BETWEEN ${id} AND ${id + 20}`),
  artifact.map(
    (id) =>
      `WITH gone AS (DELETE FROM db_fileinartifact WHERE artifact_id = ${id}) DELETE FROM db_artifact WHERE id = ${id}`,
  ),
  fc.tuple(artifact, category, workspace).map(
    ([id, name, to]) => `
      MERGE INTO db_artifact AS a USING (VALUES (${id}), (${id + 1})) AS v (id) ON a.id = v.id
      WHEN MATCHED AND a.id % 2 = 0 THEN DELETE
      WHEN MATCHED THEN UPDATE SET category = '${name}'
      WHEN NOT MATCHED THEN INSERT (id, category, workspace_id) VALUES (v.id, '${name}', ${to})`,
  ),
);
const setting = fc.constantFrom(
  'SAVEPOINT s',
  'SAVEPOINT s; DELETE FROM db_file WHERE id > 20; UPDATE db_artifact SET workspace_id = 1; ROLLBACK TO s',
  'SET CONSTRAINTS ALL IMMEDIATE',
  'SET CONSTRAINTS ALL DEFERRED',
  'SET LOCAL session_replication_role = replica',
  compactAtCommit,
);
const truncation = fc.constantFrom(
  'TRUNCATE db_fileinartifact',
  'TRUNCATE db_artifact',
  'TRUNCATE db_file',
  'TRUNCATE db_file, db_fileinartifact',
);

const statement = fc.oneof(
  { weight: 4, arbitrary: insertArtifact },
  { weight: 4, arbitrary: insertFile },
  { weight: 8, arbitrary: insertHeld },
  { weight: 6, arbitrary: updateOne },
  { weight: 3, arbitrary: deleteOne },
  { weight: 4, arbitrary: complex },
  { weight: 3, arbitrary: setting },
);
const end = fc.oneof(
  { weight: 5, arbitrary: fc.constant('COMMIT') },
  { weight: 1, arbitrary: fc.constant('ROLLBACK') },
);
const isolation = fc.oneof(
  { weight: 4, arbitrary: fc.constant('READ COMMITTED') },
  { weight: 1, arbitrary: fc.constantFrom('REPEATABLE READ', 'SERIALIZABLE') },
);

/** For one client. TRUNCATE is only at the level READ COMMITTED. */
export const randomTransaction: fc.Arbitrary<RandomTransaction> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({ isolation, statements: fc.array(statement, { minLength: 1, maxLength: 8 }), end }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      isolation: fc.constant('READ COMMITTED'),
      statements: fc.tuple(statement, truncation, statement),
      end,
    }),
  },
);

/**
 * For several clients at once: changes one row of each table at most, always in the order of the tables, so that these
 * statements alone can neither deadlock nor fail.
 */
export const concurrentTransaction: fc.Arbitrary<RandomTransaction> = fc.record({
  isolation: fc.constant('READ COMMITTED'),
  statements: fc
    .tuple(
      fc.oneof(
        fc
          .tuple(held, artifact, file)
          .map(
            ([id, to, holds]) =>
              `INSERT INTO db_fileinartifact (id, artifact_id, file_id) VALUES (${id}, ${to}, ${holds}) ON CONFLICT (id) DO UPDATE SET artifact_id = excluded.artifact_id`,
          ),
        held.map((id) => `DELETE FROM db_fileinartifact WHERE id = ${id}`),
      ),
      fc.oneof(
        insertArtifact,
        fc.tuple(artifact, workspace).map(([id, to]) => `UPDATE db_artifact SET workspace_id = ${to} WHERE id = ${id}`),
        artifact.map((id) => `DELETE FROM db_artifact WHERE id = ${id}`),
      ),
      fc.oneof(
        insertFile,
        fc.tuple(file, size).map(([id, bytes]) => `UPDATE db_file SET size = ${bytes} WHERE id = ${id}`),
        file.map((id) => `DELETE FROM db_file WHERE id = ${id}`),
      ),
      fc.constantFrom('SELECT', compactAtCommit),
    )
    .chain((statements) => fc.subarray([...statements], { minLength: 1 })),
  end,
});
