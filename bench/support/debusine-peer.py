"""
The peer of the benchmark `debusine`: a collector of the same families as a site would write it with psycopg and
prometheus_client. One query per family (straight joins, GROUP BY on names), zeros filled in here, the library's own
registry and rendering. It runs until its input ends, so that its start is not measured.

    debusine-peer.py DSN NOW

Each line of input is a request. `time` collects and renders a page, and `page FILE` also writes it to the file. The answer
is one line of JSON: milliseconds in all, those of the queries, and the length of the page.
"""

import json
import sys
from collections import Counter
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from time import perf_counter

import psycopg
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest

ARTIFACTS = (
    "debian:autopkgtest debian:binary-package debian:binary-packages debian:blhc debian:debdiff debian:lintian "
    "debian:package-build-log debian:repository-index debian:source-package debian:system-image debian:system-tarball "
    "debian:upload debusine:signing-input debusine:signing-output debusine:test debusine:work-request-debug-logs"
).split()
COLLECTIONS = (
    "debian:archive debian:environments debian:package-build-logs debian:qa-results debian:suite "
    "debian:suite-lintian debusine:task-configuration debusine:task-history debusine:test debusine:workflow-internal"
).split()
TASKS = {
    "Worker": (
        "assemblesignedsource autopkgtest blhc debdiff extractforsigning lintian makesourcepackageupload mergeuploads "
        "mmdebstrap noop piuparts sbuild simplesystemimagebuild"
    ).split(),
    "Server": (
        "aptmirror cloud_provisioning copycollectionitems create_experiment_workspace generatesuiteindexes "
        "packageupload servernoop updatesuitelintiancollection"
    ).split(),
    "Workflow": (
        "autopkgtest blhc create_experiment_workspace debdiff debian_pipeline lintian make_signed_source noop "
        "package_publish package_upload piuparts qa reverse_dependencies_autopkgtest sbuild update_environments "
        "update_suites"
    ).split(),
    "Signing": "debsign generatekey noop sign signrepositoryindex".split(),
    "Wait": "delay externaldebsign".split(),
}
STATUSES = "pending running completed aborted blocked".split()
BACKENDS = "incus-lxc incus-vm qemu unshare".split()
DAYS = (1, 3, 7, 14, 30, 90, 365)


def flag(value):
    return "1" if value else "0"


class DebusineCollector:
    def __init__(self, connection, now):
        self.connection = connection
        self.now = now
        self.query_seconds = 0.0

    def rows(self, query, *parameters):
        begun = perf_counter()
        rows = self.connection.execute(query, parameters).fetchall()
        self.query_seconds += perf_counter() - begun
        return rows

    def collect(self):
        with self.connection.transaction():
            self.scopes = [name for (name,) in self.rows("SELECT name FROM db_scope")]
            yield self.artifacts()
            yield self.assets()
            yield self.collections()
            yield self.groups()
            yield self.tokens()
            yield self.user_identities()
            yield self.user_identities_activity()
            yield self.users()
            yield self.user_activity()
            yield self.work_requests()
            yield self.workers()
            yield self.worker_pool_runtime()
            yield self.workflow_templates()
            yield self.workspaces()
            yield from self.file_stores()

    def gauge(self, name, documentation, labels, counts):
        family = GaugeMetricFamily(name, documentation, labels=labels)
        for key, count in counts.items():
            family.add_metric(key, count)
        return family

    def filled(self, zeros, rows):
        counts = dict.fromkeys(zeros, 0)
        for *key, count in rows:
            counts[tuple(key)] = counts.get(tuple(key), 0) + count
        return counts

    def artifacts(self):
        rows = self.rows(
            """
            SELECT db_artifact.category, db_scope.name, COUNT(db_artifact.id)
            FROM db_artifact
            JOIN db_workspace ON db_workspace.id = db_artifact.workspace_id
            JOIN db_scope ON db_scope.id = db_workspace.scope_id
            GROUP BY db_artifact.category, db_scope.name
            """
        )
        counts = self.filled(product(ARTIFACTS, self.scopes), rows)
        return self.gauge("artifacts", "Number of Artifacts", ["category", "scope"], counts)

    def assets(self):
        rows = self.rows(
            """
            SELECT db_asset.category, COALESCE(db_scope.name, ''), COUNT(db_asset.id)
            FROM db_asset
            LEFT JOIN db_workspace ON db_workspace.id = db_asset.workspace_id
            LEFT JOIN db_scope ON db_scope.id = db_workspace.scope_id
            GROUP BY db_asset.category, db_scope.name
            """
        )
        zeros = [("debusine:signing-key", scope) for scope in self.scopes]
        zeros.append(("debusine:cloud-provider-account", ""))
        return self.gauge("assets", "Number of Assets", ["category", "scope"], self.filled(zeros, rows))

    def collections(self):
        rows = self.rows(
            """
            SELECT db_collection.category, db_scope.name, COUNT(db_collection.id)
            FROM db_collection
            JOIN db_workspace ON db_workspace.id = db_collection.workspace_id
            JOIN db_scope ON db_scope.id = db_workspace.scope_id
            GROUP BY db_collection.category, db_scope.name
            """
        )
        counts = self.filled(product(COLLECTIONS, self.scopes), rows)
        return self.gauge("collections", "Number of Collections", ["category", "scope"], counts)

    def groups(self):
        rows = self.rows(
            """
            SELECT db_group.ephemeral, db_scope.name, COUNT(db_group.id)
            FROM db_group
            JOIN db_scope ON db_scope.id = db_group.scope_id
            GROUP BY db_group.ephemeral, db_scope.name
            """
        )
        rows = [(flag(ephemeral), scope, count) for ephemeral, scope, count in rows]
        counts = self.filled(product("01", self.scopes), rows)
        return self.gauge("groups", "Number of Groups", ["ephemeral", "scope"], counts)

    def tokens(self):
        rows = self.rows(
            """
            SELECT db_token.enabled, db_token.user_id IS NOT NULL, db_worker.id IS NOT NULL, COUNT(db_token.id)
            FROM db_token
            LEFT JOIN db_worker ON db_worker.token_id = db_token.id
            GROUP BY 1, 2, 3
            """
        )
        rows = [(flag(enabled), flag(user), flag(worker), count) for enabled, user, worker, count in rows]
        counts = self.filled(product("01", "01", "01"), rows)
        return self.gauge("tokens", "Number of Tokens", ["enabled", "user", "worker"], counts)

    def user_identities(self):
        rows = self.rows(
            """
            SELECT db_user.is_active, db_identity.issuer, COUNT(db_identity.id)
            FROM db_identity
            JOIN db_user ON db_user.id = db_identity.user_id
            GROUP BY db_user.is_active, db_identity.issuer
            """
        )
        counts = self.filled([], [(flag(active), issuer, count) for active, issuer, count in rows])
        return self.gauge("user_identities", "Number of User Identities", ["active", "issuer"], counts)

    def activity_columns(self):
        columns = ", ".join(
            "COUNT(DISTINCT db_workrequest.created_by_id) FILTER (WHERE db_workrequest.created_at >= %s)" for _ in DAYS
        )
        return f"{columns}, COUNT(DISTINCT db_workrequest.created_by_id)"

    def histogram(self, name, documentation, labels, rows):
        family = HistogramMetricFamily(name, documentation, labels=labels)
        bounds = [*map(str, DAYS), "+Inf"]
        for row in rows:
            key, counts = row[: len(labels)], row[len(labels) :]
            family.add_metric(key, buckets=list(zip(bounds, counts)), sum_value=None)
        return family

    def since(self):
        return [self.now - timedelta(days=days) for days in DAYS]

    def user_identities_activity(self):
        rows = self.rows(
            f"""
            SELECT db_identity.issuer, db_scope.name, {self.activity_columns()}
            FROM db_workrequest
            JOIN db_user ON db_user.id = db_workrequest.created_by_id
            JOIN db_identity ON db_identity.user_id = db_user.id
            JOIN db_workspace ON db_workspace.id = db_workrequest.workspace_id
            JOIN db_scope ON db_scope.id = db_workspace.scope_id
            WHERE db_workrequest.task_type = 'Workflow' AND db_workrequest.parent_id IS NULL
            GROUP BY db_identity.issuer, db_scope.name
            """,
            *self.since(),
        )
        documentation = "Number of SSO Users who have created a workflow in the bucket"
        return self.histogram("user_identities_activity", documentation, ["issuer", "scope"], rows)

    def users(self):
        rows = self.rows(
            "SELECT is_active, COUNT(id) FROM db_user WHERE username <> '_system' GROUP BY is_active"
        )
        counts = self.filled([("0",), ("1",)], [(flag(active), count) for active, count in rows])
        return self.gauge("users", "Number of Users", ["active"], counts)

    def user_activity(self):
        rows = self.rows(
            f"""
            SELECT db_scope.name, {self.activity_columns()}
            FROM db_workrequest
            JOIN db_workspace ON db_workspace.id = db_workrequest.workspace_id
            JOIN db_scope ON db_scope.id = db_workspace.scope_id
            WHERE db_workrequest.task_type = 'Workflow' AND db_workrequest.parent_id IS NULL
            GROUP BY db_scope.name
            """,
            *self.since(),
        )
        documentation = "Number of users who have created a workflow in the bucket"
        return self.histogram("user_activity", documentation, ["scope"], rows)

    def work_requests(self):
        rows = self.rows(
            """
            SELECT db_workrequest.task_type, db_workrequest.task_name, db_scope.name, db_workrequest.status,
                db_workrequest.task_data ->> 'host_architecture', db_workrequest.task_data ->> 'backend',
                COUNT(db_workrequest.id)
            FROM db_workrequest
            JOIN db_workspace ON db_workspace.id = db_workrequest.workspace_id
            JOIN db_scope ON db_scope.id = db_workspace.scope_id
            GROUP BY 1, 2, 3, 4, 5, 6
            """
        )
        rows = [(*key, architecture or "", backend or "", count) for *key, architecture, backend, count in rows]
        architectures = {row[4] for row in rows} - {""}
        zeros = []
        for task_type, names in TASKS.items():
            worker = task_type == "Worker"
            zeros += product(
                [task_type],
                names,
                self.scopes,
                STATUSES,
                architectures if worker else [""],
                BACKENDS if worker else [""],
            )
        labels = ["task_type", "task_name", "scope", "status", "host_architecture", "backend"]
        return self.gauge("work_requests", "Number of WorkRequests", labels, self.filled(zeros, rows))

    def workers(self):
        rows = self.rows(
            """
            SELECT db_worker.connected_at IS NOT NULL,
                EXISTS (
                    SELECT 1 FROM db_workrequest
                    WHERE db_workrequest.worker_id = db_worker.id AND db_workrequest.status IN ('running', 'pending')
                ),
                db_worker.worker_type, db_workerpool.name, db_worker.static_metadata, db_worker.dynamic_metadata
            FROM db_worker
            LEFT JOIN db_workerpool ON db_workerpool.id = db_worker.worker_pool_id
            """
        )
        pools = [name for (name,) in self.rows("SELECT name FROM db_workerpool")]
        workers = Counter()
        hosts = set()
        known = set()
        for connected, busy, worker_type, pool, static, dynamic in rows:
            host = static.get("system:host_architecture") or dynamic.get("system:host_architecture") or ""
            own = static.get("system:architectures") or dynamic.get("system:architectures") or []
            for metadata in (static, dynamic):
                hosts.add(metadata.get("system:host_architecture") or "")
                known.update(metadata.get("system:architectures") or [])
            workers[(flag(connected), flag(busy), worker_type, pool or "", host, frozenset(own))] += 1
        known = sorted(known)
        hosts.discard("")
        none = ("0",) * len(known)
        counts = {}
        for connected, busy in product("01", "01"):
            for worker_type in ("celery", "signing"):
                counts[(connected, busy, worker_type, "", "", *none)] = 0
            for pool, host in product([*pools, ""], hosts):
                for architectures in product("01", repeat=len(known)):
                    counts[(connected, busy, "external", pool, host, *architectures)] = 0
        for (*key, architectures), count in workers.items():
            key = (*key, *(flag(architecture in architectures) for architecture in known))
            counts[key] = counts.get(key, 0) + count
        labels = ["connected", "busy", "worker_type", "worker_pool", "host_architecture"]
        labels += [f"architecture_{architecture}" for architecture in known]
        return self.gauge("workers", "Number of Workers", labels, counts)

    def worker_pool_runtime(self):
        finished = self.rows(
            """
            SELECT db_workerpool.name, SUM(db_workerpoolstatistics.runtime)
            FROM db_workerpool
            LEFT JOIN db_workerpoolstatistics ON db_workerpoolstatistics.worker_pool_id = db_workerpool.id
            GROUP BY db_workerpool.name
            """
        )
        running = self.rows(
            """
            SELECT db_workerpool.name, SUM(%s - db_worker.instance_created_at)
            FROM db_worker
            JOIN db_workerpool ON db_workerpool.id = db_worker.worker_pool_id
            WHERE db_worker.instance_created_at IS NOT NULL
            GROUP BY db_workerpool.name
            """,
            self.now,
        )
        counts = {(pool,): runtime or 0 for pool, runtime in finished}
        for pool, age in running:
            counts[(pool,)] += int(age.total_seconds())
        return self.gauge("worker_pool_runtime", "Execution time of WorkerPools", ["worker_pool"], counts)

    def workflow_templates(self):
        rows = self.rows(
            """
            SELECT db_workflowtemplate.task_name, db_scope.name, COUNT(db_workflowtemplate.id)
            FROM db_workflowtemplate
            JOIN db_workspace ON db_workspace.id = db_workflowtemplate.workspace_id
            JOIN db_scope ON db_scope.id = db_workspace.scope_id
            GROUP BY db_workflowtemplate.task_name, db_scope.name
            """
        )
        counts = self.filled(product(TASKS["Workflow"], self.scopes), rows)
        return self.gauge("workflow_templates", "Number of WorkflowTemplates", ["task_name", "scope"], counts)

    def workspaces(self):
        rows = self.rows(
            """
            SELECT db_workspace.public, db_workspace.expiration_delay IS NOT NULL, db_scope.name, COUNT(db_workspace.id)
            FROM db_workspace
            JOIN db_scope ON db_scope.id = db_workspace.scope_id
            GROUP BY 1, 2, 3
            """
        )
        rows = [(flag(public), flag(expires), scope, count) for public, expires, scope, count in rows]
        counts = self.filled(product("01", "01", self.scopes), rows)
        return self.gauge("workspaces", "Number of Workspaces", ["private", "expires", "scope"], counts)

    def file_stores(self):
        rows = self.rows("SELECT backend, name, total_size, max_size FROM db_filestore")
        sizes = {(backend, name): size for backend, name, size, _ in rows}
        limits = {(backend, name): limit for backend, name, _, limit in rows if limit}
        yield self.gauge("file_store_size", "total_size of FileStores", ["backend", "name"], sizes)
        yield self.gauge("file_store_max_size", "max_size of FileStores", ["backend", "name"], limits)


def main():
    dsn, now = sys.argv[1:]
    connection = psycopg.connect(dsn, autocommit=True)
    collector = DebusineCollector(connection, datetime.fromisoformat(now))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    for line in sys.stdin:
        request, *file = line.split()
        collector.query_seconds = 0.0
        begun = perf_counter()
        page = generate_latest(registry)
        ms = (perf_counter() - begun) * 1000
        if request == "page":
            Path(file[0]).write_bytes(page)
        print(json.dumps({"ms": ms, "queryMs": collector.query_seconds * 1000, "bytes": len(page)}), flush=True)


main()
