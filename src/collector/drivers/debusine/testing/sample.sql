-- A small Debusine, whose rows reach every family, label and special case of the driver. The clock of its rows is
-- 2026-06-15 08:30:00 UTC (`sampleNow`).

-- `quiet` has a workspace but nothing in it, and `vacant` not even that. The last name must be escaped.
INSERT INTO db_scope (id, name) VALUES
  (1, 'debusine'), (2, 'farm'), (3, 'quiet'), (4, 'vacant'), (5, E'odd "scope" \\ of\ntwo lines');

INSERT INTO db_workspace (id, public, expiration_delay, scope_id) VALUES
  (1, true, NULL, 1), (2, false, '30 days', 1), (3, false, NULL, 1), (4, true, '1 year', 2), (5, true, '0', 2),
  (6, false, NULL, 3), (7, true, NULL, 5);

-- User 4 has no identity, user 5 has two of one issuer, and user 6 has one of each issuer. `is_system` has no part.
INSERT INTO db_user (id, username, is_active) VALUES
  (1, '_system', true), (2, 'anna', true), (3, 'ben', false), (4, 'cleo', true), (5, 'dora', true), (6, 'emil', false);

-- The last identity has no user.
INSERT INTO db_identity (id, user_id, issuer) VALUES
  (1, 2, 'salsa'), (2, 3, 'salsa'), (3, 5, 'salsa'), (4, 5, 'salsa'), (5, 6, 'salsa'), (6, 6, 'gitlab'),
  (7, NULL, 'salsa');

INSERT INTO db_group (id, ephemeral, scope_id) VALUES (1, true, 1), (2, false, 1), (3, false, 1), (4, false, 5);

-- Token 5 activates a worker, which does not make it the token of a worker.
INSERT INTO db_token (id, enabled, user_id, last_seen_at) VALUES
  (1, true, 2, '2026-06-15 08:29:00+00'), (2, true, 3, NULL), (3, false, 2, '2025-01-01 00:00:00+00'),
  (4, true, NULL, '2026-06-15 08:30:00+00'), (5, true, NULL, NULL), (6, false, NULL, '2026-06-01 08:30:00+00'),
  (7, true, NULL, '2026-06-14 08:30:00+00'), (8, true, 5, '2026-05-01 00:00:00+00'), (9, true, 2, '2026-06-15 08:45:00+00');

INSERT INTO db_artifact (id, category, workspace_id) VALUES
  (1, 'debian:source-package', 1), (2, 'debian:source-package', 1), (3, 'debian:source-package', 2),
  (4, 'debian:binary-package', 4), (5, 'debian:upload', 5), (6, 'debusine:test', 7), (7, 'site:own-category', 4),
  (8, 'debian:upload', 5);

-- The cloud account belongs to no workspace and so to no scope.
INSERT INTO db_asset (id, category, workspace_id) VALUES
  (1, 'debusine:signing-key', 1), (2, 'debusine:signing-key', 4), (3, 'debusine:signing-key', 4),
  (4, 'debusine:cloud-provider-account', NULL), (5, 'debusine:cloud-provider-account', 2), (6, 'site:own-asset', NULL);

INSERT INTO db_collection (id, category, workspace_id) VALUES
  (1, 'debian:suite', 1), (2, 'debian:suite', 2), (3, 'debian:archive', 4), (4, 'debusine:task-history', 4),
  (5, 'site:own-collection', 1);

-- Collection 4 has only removed items, and collection 5 has none.
INSERT INTO db_collectionitem (id, parent_collection_id, removed_at)
  SELECT id, 1, NULL FROM generate_series(1, 12) AS id;
INSERT INTO db_collectionitem (id, parent_collection_id, removed_at) VALUES
  (13, 1, '2026-01-01 00:00:00+00'), (14, 2, NULL), (15, 3, NULL), (16, 3, NULL), (17, 4, '2026-06-01 00:00:00+00');

-- The last two sizes are beyond the integers that a double can tell apart.
INSERT INTO db_file (id, size) VALUES
  (1, 0), (2, 1), (3, 1000), (4, 1048576), (5, 2500000000), (6, 9007199254740993), (7, 4611686018427387904);

-- File 3 is in three artifacts, and twice in one of them. Artifact 8 has no file. File 7 is in no artifact.
INSERT INTO db_fileinartifact (id, artifact_id, file_id) VALUES
  (1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 2, 3), (5, 2, 3), (6, 3, 4), (7, 4, 3), (8, 4, 5), (9, 5, 6), (10, 6, 4), (11, 7, 2);

-- The last store has a limit of 0, which means none, as NULL does.
INSERT INTO db_filestore (id, name, backend, total_size, max_size) VALUES
  (1, 'default', 'Local', 1234567, 10000000), (2, 'cloud', 'S3', 9007199254740993, NULL),
  (3, E'odd "store" \\', 'Memory', 0, 0), (4, 'suite', 'ExternalDebianSuite', 1000000, 1);
INSERT INTO db_fileinstore (id, store_id, file_id) VALUES (1, 1, 3), (2, 2, 6);
INSERT INTO db_filestoreinscope (id, scope_id, file_store_id) VALUES (1, 1, 1), (2, 2, 2);

-- `spare` has no workers.
INSERT INTO db_workerpool (id, name) VALUES (1, 'cloud-amd64'), (2, 'cloud-arm64'), (3, 'spare');

-- Workers 3 and 4 have the same labels from different metadata. An empty value in the static metadata leaves the choice to
-- the dynamic metadata. The ages of pool 1 are 100.7 s each, whose sum is truncated to 201; pool 2 has one in the future.
INSERT INTO db_worker (id, worker_type, worker_pool_id, connected_at, instance_created_at, token_id, activation_token_id,
  static_metadata, dynamic_metadata) VALUES
  (1, 'external', 1, '2026-06-15 08:00:00+00', '2026-06-15 08:28:19.3+00', 4, NULL,
    '{}', '{"system:host_architecture": "amd64", "system:architectures": ["amd64", "i386"]}'),
  (2, 'external', 1, '2026-06-15 08:00:00+00', '2026-06-15 08:28:19.3+00', 6, NULL,
    '{}', '{"system:host_architecture": "amd64", "system:architectures": ["amd64", "i386"]}'),
  (3, 'external', NULL, NULL, NULL, 7, 5,
    '{}', '{"system:host_architecture": "arm64", "system:architectures": ["arm64", "kfreebsd-amd64"]}'),
  (4, 'external', NULL, NULL, NULL, NULL, NULL,
    '{"system:host_architecture": "arm64", "system:architectures": ["kfreebsd-amd64", "arm64"]}',
    '{"system:host_architecture": "riscv64", "system:architectures": ["arm64"]}'),
  (5, 'external', 2, '2026-06-15 08:00:00+00', '2026-06-15 08:30:10.7+00', NULL, NULL,
    '{"system:host_architecture": "", "system:architectures": []}',
    '{"system:host_architecture": "arm64", "system:architectures": ["arm64"]}'),
  (6, 'external', NULL, '2026-06-15 08:00:00+00', NULL, NULL, NULL,
    '{"system:host_architecture": null}', '{}'),
  (7, 'celery', NULL, '2026-06-15 08:00:00+00', NULL, NULL, NULL, '{}', '{}'),
  (8, 'signing', NULL, NULL, NULL, NULL, NULL, '{}', '{}');

INSERT INTO db_workerpoolstatistics (id, runtime, worker_pool_id) VALUES (1, 3600, 1), (2, 1800, 1), (3, 60, 2);

INSERT INTO db_workflowtemplate (id, task_name, workspace_id) VALUES
  (1, 'debian_pipeline', 1), (2, 'debian_pipeline', 2), (3, 'sbuild', 4), (4, 'site_workflow', 4);

-- Root workflows on the bounds of the buckets and one microsecond older, one in the future, and one of each special user.
INSERT INTO db_workrequest (id, workspace_id, created_at, created_by_id, status, worker_id, task_type, task_name, task_data,
  output_data, parent_id) VALUES
  (1, 1, '2026-06-14 08:30:00+00', 2, 'running', NULL, 'Workflow', 'sbuild', '{"backend": "unshare"}', NULL, NULL),
  (2, 1, '2026-06-14 08:29:59.999999+00', 3, 'completed', NULL, 'Workflow', 'sbuild', '{"backend": "auto"}', NULL, NULL),
  (3, 2, '2026-06-08 08:30:00+00', 5, 'completed', NULL, 'Workflow', 'qa', '{}', NULL, NULL),
  (4, 2, '2026-06-08 08:29:59.999999+00', 6, 'aborted', NULL, 'Workflow', 'qa', '{}', NULL, NULL),
  (5, 1, '2020-01-01 00:00:00+00', 5, 'completed', NULL, 'Workflow', 'noop', '{}', NULL, NULL),
  (6, 4, '2026-06-16 08:30:00+00', 2, 'pending', NULL, 'Workflow', 'lintian', '{}', NULL, NULL),
  (7, 4, '2026-06-15 08:00:00+00', 4, 'blocked', NULL, 'Workflow', 'lintian', '{}', NULL, NULL),
  (8, 4, '2025-06-15 08:30:00+00', 1, 'completed', NULL, 'Workflow', 'update_suites', '{}', NULL, NULL),
  (9, 5, '2025-06-15 08:29:59.999999+00', 6, 'completed', NULL, 'Workflow', 'update_suites', '{}', NULL, NULL),
  -- Not a root: its user created none in the last days.
  (10, 1, '2026-06-15 08:29:00+00', 3, 'running', NULL, 'Workflow', 'autopkgtest', '{}', NULL, 1);

-- Tasks of workers 1 (running), 2 and 8 (pending), 5 (blocked, so not busy), and free text of every kind in their data.
INSERT INTO db_workrequest (id, workspace_id, created_at, created_by_id, status, worker_id, task_type, task_name, task_data,
  output_data, parent_id) VALUES
  (11, 1, '2026-06-15 08:00:00+00', 2, 'running', 1, 'Worker', 'sbuild',
    '{"host_architecture": "amd64", "backend": "unshare"}', NULL, 1),
  (12, 1, '2026-06-15 08:00:00+00', 2, 'pending', 2, 'Worker', 'sbuild',
    '{"host_architecture": "amd64", "backend": "incus-lxc"}', NULL, 1),
  (13, 1, '2026-06-15 08:00:00+00', 2, 'blocked', 5, 'Worker', 'sbuild',
    '{"host_architecture": "arm64", "backend": "unshare"}', NULL, 1),
  (14, 1, '2026-06-10 08:00:00+00', 2, 'completed', 1, 'Worker', 'sbuild',
    '{"host_architecture": "amd64", "backend": "unshare"}', '{"runtime_statistics": {"duration": 12.5}}', 1),
  (15, 1, '2026-06-10 08:00:00+00', 2, 'completed', 1, 'Worker', 'sbuild',
    '{"host_architecture": "amd64", "backend": "unshare"}', '{"runtime_statistics": {"duration": 3600}}', 1),
  (16, 4, '2026-06-10 08:00:00+00', 3, 'completed', NULL, 'Worker', 'lintian', '{}',
    '{"runtime_statistics": {"duration": null}}', NULL),
  (17, 4, '2026-06-10 08:00:00+00', 3, 'completed', NULL, 'Worker', 'lintian',
    '{"host_architecture": null, "backend": null}', '{"runtime_statistics": null}', NULL),
  (18, 4, '2026-06-10 08:00:00+00', 3, 'completed', NULL, 'Worker', 'lintian',
    '{"host_architecture": "", "backend": 0}', '{}', NULL),
  (19, 4, '2026-06-10 08:00:00+00', 3, 'completed', NULL, 'Worker', 'lintian',
    '{"host_architecture": false, "backend": []}', '[]', NULL),
  (20, 4, '2026-06-10 08:00:00+00', 3, 'aborted', NULL, 'Worker', 'noop', '"not an object"', NULL, NULL),
  (21, 4, '2026-06-10 08:00:00+00', 3, 'aborted', NULL, 'Worker', 'noop', '["host_architecture"]', NULL, NULL),
  (22, 4, '2026-06-10 08:00:00+00', 3, 'aborted', NULL, 'Worker', 'noop', '{"host_architecture": 64}', NULL, NULL),
  (23, 4, '2026-06-10 08:00:00+00', 3, 'aborted', NULL, 'Worker', 'noop', '{"host_architecture": {"name": "amd64"}}', NULL, NULL),
  (24, 7, '2026-06-10 08:00:00+00', 3, 'completed', NULL, 'Worker', 'site_task',
    '{"host_architecture": "my laptop at home", "backend": "Schroot!"}', NULL, NULL),
  (25, 1, '2026-06-10 08:00:00+00', 3, 'completed', NULL, 'Server', 'aptmirror', '{"host_architecture": "amd64"}',
    '{"runtime_statistics": {"duration": 0.25}}', NULL),
  (26, 1, '2026-06-10 08:00:00+00', 1, 'completed', NULL, 'Internal', 'workflow', '{}', NULL, 1),
  (27, 1, '2026-06-10 08:00:00+00', 1, 'pending', 8, 'Signing', 'sign', '{}', NULL, 1),
  (28, 1, '2026-06-10 08:00:00+00', 1, 'running', NULL, 'Wait', 'delay', '{}', NULL, 1),
  (29, 5, '2026-06-10 08:00:00+00', 1, 'running', NULL, 'Odd', 'own_type', '{}', NULL, NULL);
