import type { Clock, Log } from '../base/index.ts';

/** A text, an integer, nothing, or a list of those. Bulk strings are decoded as UTF-8. */
export type RedisReply = string | number | null | readonly RedisReply[];

/** A Lua script. The name stands in errors; the source is what counts. */
export interface RedisScript {
  readonly name: string;
  readonly source: string;
}

export interface RedisCommand {
  /** The command's name and its arguments, as they go over the wire. */
  readonly args: readonly string[];
  /** The key that decides the slot, and so the node of a Cluster; absent: any node. */
  readonly key?: string;
}

/**
 * The way to a Redis or a Valkey: one connection for each primary, kept up for as long as the link is open.
 *
 * All of these reject with a `TonnageError`. `redis_unavailable`: no connection, no answer in time, or Redis asked for
 * patience (LOADING, CLUSTERDOWN, TRYAGAIN, READONLY, MASTERDOWN, NOREPLICAS, BUSY) for longer than the link retries. The
 * same may be tried again; **whether it was done is not known**. `redis_refused`: an error reply, in Redis's own words.
 * The link sends a command again only when Redis has said that it did not do it, never because a connection has ended.
 */
export interface RedisLink {
  /** One command. Refused at once while there is no connection. */
  send(command: RedisCommand): Promise<RedisReply>;
  /**
   * Several commands at once; the answers in the same order, or the first error once all have ended. Those of one node
   * are done in order, except that one which had to be retried comes later than those behind it.
   */
  pipeline(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]>;
  /**
   * Runs a script by its digest, and once by its text where the server does not know it. All keys must be of one slot,
   * which is held on a standalone server too. Calls made one after the other, without waiting, arrive in that order.
   */
  script(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<RedisReply>;
  /**
   * WAIT: how many replicas have what was written, on this connection, to the slot of `key`. It holds up everything
   * behind it on that connection for up to `timeoutMs` (1 at least).
   *
   * Rejects with `redis_unavailable` when no script of that slot has answered on this connection, since Redis would then
   * answer for nothing. From 7.2 on Redis waits for the connection's last *write*: a script that finds its work done
   * writes its number again, lest WAIT on a new connection confirm what no replica has.
   */
  waitReplicas(key: string, replicas: number, timeoutMs: number): Promise<number>;
  /** `maxmemory-policy` of every primary, with its address. */
  evictionPolicies(): Promise<readonly { readonly node: string; readonly policy: string }[]>;
  /** Whether every primary is connected and, while not, why. */
  readonly status: RedisStatus;
  /** Closes all connections; what is under way is rejected with `redis_unavailable`. */
  close(): Promise<void>;
}

export interface RedisStatus {
  readonly connected: boolean;
  readonly failure?: string;
  /** Redis does not let us in (wrong credentials, no right), which only somebody can change. */
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
  /** The name that the certificate must have, where it is not the address that is dialled. */
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
  /** What the Sentinels call the primary. */
  readonly name: string;
  /** Credentials of the Sentinels themselves. */
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
}

export interface ClusterRedis {
  readonly mode: 'cluster';
  /** Nodes to ask first; the others are found by asking. */
  readonly nodes: readonly RedisAddress[];
  /** `host:port` as the Cluster announces it -> what is to be dialled instead. */
  readonly natMap?: Readonly<Record<string, RedisAddress>>;
}

export type RedisLinkOptions = (StandaloneRedis | SentinelRedis | ClusterRedis) & {
  readonly username?: string;
  readonly password?: string;
  /** Number of the database. A Cluster has but one, 0. */
  readonly database?: number;
  /** With it, connections speak TLS, those to Sentinels too; `rediss://` alone is enough where nothing is to be set. */
  readonly tls?: RedisTls;
  /**
   * How long Redis may stay silent while an answer is due, which begins anew with each answer. Limit `redisCommandMsMax`.
   * Redis answers what it has read at once (some 16 KiB) only when all of that is done: a batch of slow scripts shares it.
   */
  readonly commandTimeoutMs?: number;
  /** How long connecting may take, and then again greeting. Limit `redisConnectMsMax`. */
  readonly connectTimeoutMs?: number;
  /** How long what Redis did not do yet is tried again. Limit `redisRetryMsMax`. */
  readonly retryMs?: number;
  readonly clock: Clock;
  readonly log: Log;
};
