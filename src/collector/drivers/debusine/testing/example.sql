-- The Debusine of the example in Debusine's design document: ten series of work requests and workers.
INSERT INTO db_scope (id, name) VALUES (1, 'debian'), (2, 'another');
INSERT INTO db_workspace (id, public, expiration_delay, scope_id) VALUES (1, true, NULL, 1), (2, true, NULL, 2);
INSERT INTO db_user (id, username, is_active) VALUES (1, 'anna', true);

-- One external worker is busy, five of the same kind are not connected, and five are of another kind.
INSERT INTO db_worker (id, worker_type, worker_pool_id, connected_at, instance_created_at, token_id, activation_token_id,
  static_metadata, dynamic_metadata)
  SELECT id, 'external', NULL, CASE WHEN id = 1 THEN timestamptz '2026-06-15 08:00:00+00' END, NULL, NULL, NULL, '{}',
    '{"system:host_architecture": "amd64", "system:architectures": ["amd64", "i386"]}'
  FROM generate_series(1, 6) AS id;
INSERT INTO db_worker (id, worker_type, worker_pool_id, connected_at, instance_created_at, token_id, activation_token_id,
  static_metadata, dynamic_metadata)
  SELECT id, 'external', NULL, '2026-06-15 08:00:00+00', NULL, NULL, NULL, '{}',
    '{"system:host_architecture": "arm64", "system:architectures": ["arm64", "armhf", "armel"]}'
  FROM generate_series(7, 11) AS id;
INSERT INTO db_worker (id, worker_type, worker_pool_id, connected_at, instance_created_at, token_id, activation_token_id,
  static_metadata, dynamic_metadata) VALUES
  (12, 'celery', NULL, '2026-06-15 08:00:00+00', NULL, NULL, NULL, '{}', '{}');

INSERT INTO db_workrequest (id, workspace_id, created_at, created_by_id, status, worker_id, task_type, task_name, task_data,
  output_data, parent_id) VALUES
  (1, 1, '2026-06-15 08:00:00+00', 1, 'running', NULL, 'Workflow', 'sbuild', '{}', NULL, NULL);
INSERT INTO db_workrequest (id, workspace_id, created_at, created_by_id, status, worker_id, task_type, task_name, task_data,
  output_data, parent_id)
  SELECT row_number() OVER () + 1, workspace_id, '2026-06-15 08:00:00+00', 1, status, worker_id, 'Worker', 'sbuild',
    jsonb_build_object('host_architecture', architecture, 'backend', backend), NULL, 1
  FROM (VALUES
    (1, 'running', 1, 'amd64', 'auto', 1),
    (1, 'pending', NULL, 'amd64', 'auto', 3),
    (2, 'pending', NULL, 'amd64', 'auto', 2),
    (1, 'pending', NULL, 'amd64', 'unshare', 2),
    (1, 'pending', NULL, 'i386', 'auto', 1)
  ) AS kind (workspace_id, status, worker_id, architecture, backend, number), generate_series(1, number);
