-- A Debusine of about 200,000 rows and 26,000 series for the benchmarks, into empty tables of the project's own schema.
-- Deterministic: `pick` derives each choice from the row's number. The clock of the rows is 2026-01-15 12:00:00 UTC.

CREATE FUNCTION pg_temp.pick(row_number bigint, choice text, options int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT (abs(hashtextextended(choice, row_number)) % options)::int $$;

CREATE FUNCTION pg_temp.ago(row_number bigint, choice text, days int) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
$$ SELECT timestamptz '2026-01-15 12:00:00+00' - pg_temp.pick(row_number, choice, days * 86400) * interval '1 second' $$;

INSERT INTO db_scope (id, name) SELECT id, 'scope-' || id FROM generate_series(1, 5) AS id;
INSERT INTO db_workspace (id, public, expiration_delay, scope_id)
  SELECT id, id % 3 = 0, CASE WHEN id % 4 = 0 THEN interval '30 days' END, 1 + id % 5 FROM generate_series(1, 60) AS id;
INSERT INTO db_user (id, username, is_active)
  SELECT id, CASE WHEN id = 1 THEN '_system' ELSE 'user-' || id END, id % 5 <> 0 FROM generate_series(1, 400) AS id;
INSERT INTO db_identity (id, user_id, issuer)
  SELECT id, id, (ARRAY['salsa', 'gitlab', 'keycloak'])[1 + id % 3] FROM generate_series(2, 400) AS id;
INSERT INTO db_group (id, ephemeral, scope_id) SELECT id, id % 3 = 0, 1 + id % 5 FROM generate_series(1, 90) AS id;
INSERT INTO db_token (id, enabled, user_id, last_seen_at)
  SELECT id, id % 3 <> 0, CASE WHEN id > 200 THEN 1 + id % 400 END, pg_temp.ago(id, 'seen', 100)
  FROM generate_series(1, 700) AS id;
INSERT INTO db_asset (id, category, workspace_id)
  SELECT id, CASE WHEN id <= 3 THEN 'debusine:cloud-provider-account' ELSE 'debusine:signing-key' END,
    CASE WHEN id > 3 THEN 1 + id % 60 END
  FROM generate_series(1, 100) AS id;
INSERT INTO db_collection (id, category, workspace_id)
  SELECT id, (ARRAY['debian:suite', 'debian:environments', 'debian:qa-results', 'debusine:workflow-internal'])[1 + id % 4],
    1 + pg_temp.pick(id, 'workspace', 60)
  FROM generate_series(1, 500) AS id;
INSERT INTO db_collectionitem (id, parent_collection_id, removed_at)
  SELECT id, 1 + pg_temp.pick(id, 'collection', 500), CASE WHEN id % 6 = 0 THEN pg_temp.ago(id, 'removed', 100) END
  FROM generate_series(1, 6000) AS id;

INSERT INTO db_artifact (id, category, workspace_id)
  SELECT id, (ARRAY['debian:source-package', 'debian:binary-package', 'debian:binary-packages', 'debian:upload',
      'debian:package-build-log', 'debian:lintian', 'debian:autopkgtest', 'debian:blhc', 'debian:debdiff',
      'debian:system-tarball', 'debusine:work-request-debug-logs'])[1 + pg_temp.pick(id, 'category', 11)],
    1 + pg_temp.pick(id, 'workspace', 60)
  FROM generate_series(1, 50000) AS id;
INSERT INTO db_file (id, size) SELECT id, pg_temp.pick(id, 'size', 2000000000) FROM generate_series(1, 24000) AS id;
INSERT INTO db_fileinartifact (id, artifact_id, file_id)
  SELECT id, 1 + pg_temp.pick(id, 'artifact', 50000), 1 + pg_temp.pick(id, 'file', 24000)
  FROM generate_series(1, 80000) AS id;
INSERT INTO db_filestore (id, name, backend, total_size, max_size)
  VALUES (1, 'local', 'Local', 2718281828, NULL), (2, 'cloud', 'S3', 31415926535, 1099511627776);

INSERT INTO db_workerpool (id, name) SELECT id, 'pool-' || id FROM generate_series(1, 3) AS id;
INSERT INTO db_worker (id, worker_type, worker_pool_id, connected_at, instance_created_at, token_id, static_metadata, dynamic_metadata)
  SELECT id, CASE WHEN id <= 2 THEN 'celery' WHEN id <= 4 THEN 'signing' ELSE 'external' END,
    CASE WHEN id > 4 AND id % 4 <> 0 THEN id % 4 END, CASE WHEN id % 3 <> 0 THEN pg_temp.ago(id, 'connected', 2) END,
    CASE WHEN id > 4 AND id % 4 <> 0 THEN pg_temp.ago(id, 'created', 3) END, id, '{}',
    CASE WHEN id > 4 THEN (ARRAY[
      '{"system:host_architecture": "amd64", "system:architectures": ["amd64", "i386"]}',
      '{"system:host_architecture": "arm64", "system:architectures": ["arm64", "armhf", "armel"]}',
      '{"system:host_architecture": "i386", "system:architectures": ["i386"]}',
      '{"system:host_architecture": "armhf", "system:architectures": ["armhf"]}',
      '{"system:host_architecture": "riscv64", "system:architectures": ["riscv64"]}',
      '{"system:host_architecture": "s390x", "system:architectures": ["s390x"]}',
      '{"system:host_architecture": "ppc64el", "system:architectures": []}'])[1 + id % 7]::jsonb ELSE '{}' END
  FROM generate_series(1, 90) AS id;
INSERT INTO db_workerpoolstatistics (id, runtime, worker_pool_id)
  SELECT id, pg_temp.pick(id, 'runtime', 86400), 1 + id % 3 FROM generate_series(1, 400) AS id;
INSERT INTO db_workflowtemplate (id, task_name, workspace_id)
  SELECT id, (ARRAY['sbuild', 'debian_pipeline', 'qa', 'update_environments'])[1 + id % 4], 1 + id % 60
  FROM generate_series(1, 150) AS id;

INSERT INTO db_workrequest (id, workspace_id, created_at, created_by_id, status, worker_id, task_type, task_name, task_data, output_data, parent_id)
  SELECT id, 1 + pg_temp.pick(id, 'workspace', 60), pg_temp.ago(id, 'created', 700), 2 + pg_temp.pick(id, 'user', 399),
    (ARRAY['pending', 'running', 'completed', 'completed', 'completed', 'aborted', 'blocked'])[1 + pg_temp.pick(id, 'status', 7)],
    NULL,
    (ARRAY['Workflow', 'Server', 'Internal', 'Signing'])[1 + kind],
    (ARRAY['debian_pipeline', 'packageupload', 'workflow', 'sign'])[1 + kind], '{}', NULL, NULL
  FROM (SELECT id, pg_temp.pick(id, 'kind', 4) AS kind FROM generate_series(1, 5000) AS id) AS numbered;
INSERT INTO db_workrequest (id, workspace_id, created_at, created_by_id, status, worker_id, task_type, task_name, task_data, output_data, parent_id)
  SELECT id, 1 + pg_temp.pick(id, 'workspace', 60), pg_temp.ago(id, 'created', 700), 2 + pg_temp.pick(id, 'user', 399),
    (ARRAY['pending', 'running', 'completed', 'completed', 'completed', 'aborted', 'blocked'])[1 + pg_temp.pick(id, 'status', 7)],
    5 + pg_temp.pick(id, 'worker', 86), 'Worker',
    (ARRAY['sbuild', 'sbuild', 'lintian', 'autopkgtest', 'piuparts', 'blhc', 'debdiff', 'noop', 'mmdebstrap', 'mergeuploads'])
      [1 + pg_temp.pick(id, 'task', 10)],
    jsonb_build_object(
      'host_architecture', (ARRAY['amd64', 'arm64', 'i386', 'armhf', 'riscv64', 's390x', 'ppc64el'])[1 + pg_temp.pick(id, 'architecture', 7)],
      'backend', (ARRAY['unshare', 'incus-lxc', 'qemu', 'auto'])[1 + pg_temp.pick(id, 'backend', 4)],
      'input', jsonb_build_object('source_artifact', id)),
    jsonb_build_object('runtime_statistics', jsonb_build_object('duration', pg_temp.pick(id, 'duration', 7200))), NULL
  FROM generate_series(5001, 20000) AS id;

-- The indexes of a real Debusine that a query of its metrics could use.
CREATE INDEX ON db_workspace (scope_id);
CREATE INDEX ON db_artifact (workspace_id);
CREATE INDEX ON db_collection (workspace_id);
CREATE INDEX ON db_fileinartifact (artifact_id);
CREATE INDEX ON db_fileinartifact (file_id);
CREATE INDEX ON db_identity (user_id);
CREATE INDEX ON db_workrequest (workspace_id);
CREATE INDEX ON db_workrequest (created_by_id);
CREATE INDEX ON db_workrequest (parent_id);
CREATE INDEX ON db_workrequest (worker_id);
CREATE INDEX ON db_workrequest (worker_id) WHERE status IN ('running', 'pending');
