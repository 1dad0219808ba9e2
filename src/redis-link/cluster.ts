import { limits, messageOf, pause, WakeablePause, type Log, type TonnageError } from '../base/index.ts';
import { Connection, type ConnectionOptions, type Endpoint, nameOf } from './connection.ts';
import { statusOf, type Redirect, unavailable } from './failure.ts';
import { RedisNode } from './node.ts';
import type { Router } from './router.ts';
import { slotCount } from './slot.ts';
import { readSlots, type SlotRange, translated } from './topology.ts';
import type { ClusterRedis, RedisAddress, RedisStatus } from './types.ts';

/** The shortest pause between two queries of the slots. */
const slotsPauseMsMin = 100;

/** The primaries of a Cluster. Queries the slots at start, after a redirect, when a node is lost, and at intervals. */
export class ClusterRouter implements Router {
  readonly #cluster: ClusterRedis;
  readonly #options: ConnectionOptions;
  readonly #log: Log;
  readonly #nodes = new Map<string, RedisNode>();
  readonly #owners = Array.from<RedisNode | undefined>({ length: slotCount });
  #primaries: ReadonlySet<RedisNode> = new Set();
  #failure: TonnageError | undefined = unavailable('the slots of the Redis Cluster are not known yet');
  readonly #abort = new AbortController();
  readonly #pause = new WakeablePause();
  #isRefreshRequested = false;
  #turn = 0;
  readonly #loop: Promise<void>;

  constructor(cluster: ClusterRedis, options: ConnectionOptions, log: Log) {
    this.#cluster = cluster;
    this.#options = options;
    this.#log = log;
    this.#loop = this.#run();
  }

  nodeFor(slot: number | undefined): RedisNode {
    const node = slot === undefined ? this.#anyNode() : this.#owners[slot];
    if (!node) {
      this.#requestRefresh();
      throw this.#failure ?? unavailable(`no node of the Redis Cluster serves slot ${slot}`);
    }
    if (node.failure) this.#requestRefresh();
    return node;
  }

  redirected({ kind, host, port }: Redirect, slot: number | undefined, from: string): RedisNode {
    const node = this.#nodeAt(translated({ host: host === '' ? from : host, port }, this.#cluster.natMap));
    if (kind === 'moved') {
      if (slot !== undefined) this.#owners[slot] = node;
      this.#requestRefresh();
    }
    return node;
  }

  transientError(): void {
    this.#requestRefresh();
  }

  primaries(): readonly RedisNode[] {
    if (this.#primaries.size === 0) throw this.#failure ?? unavailable('the Redis Cluster has no primaries');
    return [...this.#primaries];
  }

  get status(): RedisStatus {
    const failures = [this.#failure, ...[...this.#primaries].map(({ failure }) => failure)];
    return statusOf(failures.filter((failure) => failure !== undefined));
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#failure = unavailable('the link to the Redis Cluster was closed');
    this.#pause.wake();
    await this.#loop;
    await Promise.all([...this.#nodes.values()].map((node) => node.close()));
  }

  #anyNode(): RedisNode | undefined {
    const nodes = [...this.#primaries];
    return nodes.find(({ failure }) => failure === undefined) ?? nodes[0];
  }

  #nodeAt(address: RedisAddress): RedisNode {
    const name = nameOf(address);
    const known = this.#nodes.get(name);
    if (known) return known;
    const node = new RedisNode({
      name,
      open: (signal) => Connection.open(address, this.#options, signal),
      log: this.#log,
      onChange: () => node.failure && this.#primaries.has(node) && this.#requestRefresh(),
    });
    this.#nodes.set(name, node);
    return node;
  }

  #requestRefresh(): void {
    this.#isRefreshRequested = true;
    this.#pause.wake();
  }

  async #run(): Promise<void> {
    let pauseMs = slotsPauseMsMin;
    while (!this.#abort.signal.aborted) {
      this.#isRefreshRequested = false;
      await this.#refresh();
      const isWell = this.status.connected;
      pauseMs = isWell ? slotsPauseMsMin : Math.min(2 * pauseMs, limits.redisReconnectMsMax);
      await pause(slotsPauseMsMin, this.#abort.signal);
      if (!this.#isRefreshRequested && !this.#abort.signal.aborted)
        await this.#pause.wait(isWell ? limits.redisSlotsMs : pauseMs);
    }
  }

  async #refresh(): Promise<void> {
    try {
      this.#adopt(await this.#querySlots());
      this.#failure = undefined;
    } catch (error) {
      // Keep the known slots: connected nodes go on serving.
      if (this.#abort.signal.aborted) return;
      const failure = unavailable(messageOf(error));
      if (failure.message !== this.#failure?.message) {
        this.#log.warn({ error: failure.message }, 'could not read the slots of the Redis Cluster');
      }
      this.#failure = failure;
    }
  }

  /** Queries the connected nodes in turn, because one of them may be partitioned. Then queries the configured ones. */
  async #querySlots(): Promise<readonly SlotRange[]> {
    const failures: string[] = [];
    const connected = [...this.#nodes.values()].filter(({ failure }) => failure === undefined);
    this.#turn += 1;
    for (let index = 0; index < connected.length; index += 1) {
      const node = connected[(this.#turn + index) % connected.length];
      if (!node || node.failure) continue;
      try {
        return await this.#slotsFrom(node.connection);
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
    for (const address of this.#cluster.nodes) {
      if (this.#abort.signal.aborted) break;
      try {
        return await this.#slotsFromSeed(address);
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
    throw unavailable(`no node of the Redis Cluster answered with the slots: ${[...new Set(failures)].join('; ')}`);
  }

  async #slotsFromSeed(address: Endpoint): Promise<readonly SlotRange[]> {
    const connection = await Connection.open(address, this.#options, this.#abort.signal);
    try {
      return await this.#slotsFrom(connection);
    } finally {
      connection.close(unavailable(`done with Redis ${connection.name}`));
    }
  }

  async #slotsFrom(connection: Connection): Promise<readonly SlotRange[]> {
    const reply = await connection.send(['CLUSTER', 'SLOTS']);
    const queriedHost = 'host' in connection.endpoint ? connection.endpoint.host : '';
    const ranges = readSlots(reply, queriedHost, this.#cluster.natMap);
    if (!ranges) throw unavailable(`Redis ${connection.name} serves no slots of a Cluster`);
    return ranges;
  }

  #adopt(ranges: readonly SlotRange[]): void {
    this.#owners.fill(undefined);
    const primaries = new Set<RedisNode>();
    for (const { first, last, primary } of ranges) {
      const node = this.#nodeAt(primary);
      primaries.add(node);
      this.#owners.fill(node, first, last + 1);
    }
    this.#primaries = primaries;
    for (const [name, node] of this.#nodes) {
      // Keep a node without slots while commands are in flight. Keep a node that a redirect has just named: the queried
      // node may not know it yet.
      if (primaries.has(node) || node.isAwaited || (!node.failure && node.connection.inFlight > 0)) continue;
      this.#nodes.delete(name);
      void node.close();
    }
  }
}
