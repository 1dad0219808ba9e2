-- The tables of Debusine 0.12.1 that its metrics are about, with only the columns that the driver reads and those that
-- connect the tables. Names, types and nullability are those of a real Debusine. Foreign keys are left out, so that tests
-- may load and change the tables in any order.

CREATE TABLE db_scope (
  id bigint PRIMARY KEY,
  name varchar(255) NOT NULL UNIQUE
);

CREATE TABLE db_workspace (
  id bigint PRIMARY KEY,
  public boolean NOT NULL,
  expiration_delay interval,
  scope_id bigint NOT NULL
);

CREATE TABLE db_user (
  id bigint PRIMARY KEY,
  username varchar(150) NOT NULL UNIQUE,
  is_active boolean NOT NULL
);

CREATE TABLE db_identity (
  id bigint PRIMARY KEY,
  user_id bigint,
  issuer varchar(512) NOT NULL
);

CREATE TABLE db_group (
  id bigint PRIMARY KEY,
  ephemeral boolean NOT NULL,
  scope_id bigint NOT NULL
);

CREATE TABLE db_token (
  id bigint PRIMARY KEY,
  enabled boolean NOT NULL,
  user_id bigint,
  last_seen_at timestamptz
);

CREATE TABLE db_artifact (
  id bigint PRIMARY KEY,
  category varchar(255) NOT NULL,
  workspace_id bigint NOT NULL
);

CREATE TABLE db_asset (
  id bigint PRIMARY KEY,
  category varchar(255) NOT NULL,
  workspace_id bigint
);

CREATE TABLE db_collection (
  id bigint PRIMARY KEY,
  category varchar(255) NOT NULL,
  workspace_id bigint NOT NULL
);

CREATE TABLE db_collectionitem (
  id bigint PRIMARY KEY,
  parent_collection_id bigint NOT NULL,
  removed_at timestamptz
);

CREATE TABLE db_file (
  id bigint PRIMARY KEY,
  size bigint NOT NULL CHECK (size >= 0)
);

CREATE TABLE db_fileinartifact (
  id bigint PRIMARY KEY,
  artifact_id bigint NOT NULL,
  file_id bigint NOT NULL
);

CREATE TABLE db_filestore (
  id bigint PRIMARY KEY,
  name varchar(255) NOT NULL UNIQUE,
  backend varchar(255) NOT NULL,
  total_size bigint NOT NULL,
  max_size bigint
);

CREATE TABLE db_fileinstore (
  id bigint PRIMARY KEY,
  store_id bigint NOT NULL,
  file_id bigint NOT NULL
);

CREATE TABLE db_filestoreinscope (
  id bigint PRIMARY KEY,
  scope_id bigint NOT NULL,
  file_store_id bigint NOT NULL
);

CREATE TABLE db_workerpool (
  id bigint PRIMARY KEY,
  name varchar(50) NOT NULL UNIQUE
);

CREATE TABLE db_worker (
  id bigint PRIMARY KEY,
  worker_type varchar(8) NOT NULL,
  worker_pool_id bigint,
  connected_at timestamptz,
  instance_created_at timestamptz,
  token_id bigint UNIQUE,
  activation_token_id bigint UNIQUE,
  static_metadata jsonb NOT NULL,
  dynamic_metadata jsonb NOT NULL
);

CREATE TABLE db_workerpoolstatistics (
  id bigint PRIMARY KEY,
  runtime integer NOT NULL,
  worker_pool_id bigint NOT NULL
);

CREATE TABLE db_workflowtemplate (
  id bigint PRIMARY KEY,
  task_name varchar(100) NOT NULL,
  workspace_id bigint NOT NULL
);

CREATE TABLE db_workrequest (
  id bigint PRIMARY KEY,
  workspace_id bigint NOT NULL,
  created_at timestamptz NOT NULL,
  created_by_id bigint NOT NULL,
  status varchar(9) NOT NULL,
  worker_id bigint,
  task_type varchar(8) NOT NULL,
  task_name varchar(100) NOT NULL,
  task_data jsonb NOT NULL,
  output_data jsonb,
  parent_id bigint
);
