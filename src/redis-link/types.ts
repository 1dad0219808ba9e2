import type { Clock, Log } from '../base/index.ts';

/** A text, an integer, null, or a list of these. Bulk strings are decoded as UTF-8. */
export type RedisReply = string | number | null | readonly RedisReply[];

/** A Lua script. Errors show its name. */
export interface RedisScript {
  readonly name: string;
  readonly source: string;
}

export interface RedisCommand {
  /** The name of the command and its arguments. */
  readonly args: readonly string[];
  /** The key that determines the slot, and so the node of a Cluster. Absent: any node. */
  readonly key?: string;
}

/**
 * A link to Redis or Valkey: one connection to each primary, reopened whenever it ends.
 *
 * All methods reject with a `TonnageError`:
 *
 * - `redis_unavailable`: no connection, no answer in time, or a transient error (LOADING, CLUSTERDOWN, TRYAGAIN,
 *   READONLY, MASTERDOWN, NOREPLICAS, BUSY) for longer than the link retries. The caller may retry, but **does not know
 *   whether Redis did the command**.
 * - `redis_refused`: an error reply, in Redis's own words.
 *
 * The link sends a command again only if Redis replied that it did not do it, never because a connection ended.
 */
export interface RedisLink {
  /** Sends one command. Rejects at once while there is no connection. */
  send(command: RedisCommand): Promise<RedisReply>;
  /**
   * Sends several commands together. Resolves to the replies in the same order, or rejects with the first error after
   * all have ended. A node does its commands in order, but a retried command may run after later ones.
   */
  pipeline(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]>;
  /**
   * Runs a script by its digest, or by its text if the server does not know it. All keys must have the same slot, even
   * on a standalone server. Scripts of concurrent calls arrive in the order of the calls.
   */
  script(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<RedisReply>;
  /**
   * WAIT: the number of replicas that have this connection's writes to the slot of `key`. It blocks all later commands
   * on that connection for up to `timeoutMs` (at least 1).
   *
   * Rejects with `redis_unavailable` if no script of that slot has answered on this connection: WAIT would then confirm
   * nothing. From Redis 7.2 on, WAIT covers only the writes of its own connection. So a script that finds its work
   * already done must still write something.
   */
  waitReplicas(key: string, replicas: number, timeoutMs: number): Promise<number>;
  /** `maxmemory-policy` of every primary, with its address. */
  evictionPolicies(): Promise<readonly { readonly node: string; readonly policy: string }[]>;
  /** Whether every primary is connected and, if not, why. */
  readonly status: RedisStatus;
  /** Closes all connections. Commands in flight reject with `redis_unavailable`. */
  close(): Promise<void>;
}

export interface RedisStatus {
  readonly connected: boolean;
  readonly failure?: string;
  /** Redis rejects the login (wrong credentials, missing right). Retrying does not help; an operator must act. */
  readonly isRefused?: true;
}

/** Where a server listens. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** PEM texts. `{}` is TLS with the system's authorities. */
export interface RedisTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the certificate must have, if it is not the dialled address. */
  readonly servername?: string;
}

interface StandaloneRedis {
  readonly mode: 'standalone';
  /** `redis[s]://[user[:password]@]host[:port][/database]` or `unix:///path/to/socket`. */
  readonly url: string;
}

export interface SentinelRedis {
  readonly mode: 'sentinel';
  readonly sentinels: readonly RedisAddress[];
  /** The Sentinels' name for the primary. */
  readonly name: string;
  /** Credentials for the Sentinels. */
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
}

export interface ClusterRedis {
  readonly mode: 'cluster';
  /** Seed nodes. The link finds the others through them. */
  readonly nodes: readonly RedisAddress[];
  /** Announced `host:port` -> address to dial instead. */
  readonly natMap?: Readonly<Record<string, RedisAddress>>;
}

export type RedisLinkOptions = (StandaloneRedis | SentinelRedis | ClusterRedis) & {
  readonly username?: string;
  readonly password?: string;
  /** Number of the database. A Cluster has only database 0. */
  readonly database?: number;
  /** Use TLS, also for Sentinels. A `rediss://` URL needs it only to change a setting. */
  readonly tls?: RedisTls;
  /**
   * How long Redis may stay silent while a command is in flight, in ms; each answer restarts the time. Default:
   * `limits.redisCommandMsMax`. Redis reads up to 16 KiB at once and sends no answer before all of that is done, so a
   * batch of slow scripts shares one time limit.
   */
  readonly commandTimeoutMs?: number;
  /** How long dialling may take, and then the handshake, in ms each. Default: `limits.redisConnectMsMax`. */
  readonly connectTimeoutMs?: number;
  /** How long to retry commands that Redis did not do, in ms. Default: `limits.redisRetryMsMax`. */
  readonly retryMs?: number;
  readonly clock: Clock;
  readonly log: Log;
};
