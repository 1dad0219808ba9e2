import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert, limits, type Clock } from '../base/index.ts';
import type { Connection } from './connection.ts';
import { asTonnageError, isTransient, redirectOf, RedisErrorReply, unavailable } from './failure.ts';
import type { RedisNode } from './node.ts';
import { isList } from './reply.ts';
import type { Router } from './router.ts';
import { oneSlotOf, slotOf } from './slot.ts';
import type { RedisCommand, RedisLink, RedisReply, RedisScript, RedisStatus } from './types.ts';

interface LinkOptions {
  readonly retryMs: number;
  readonly clock: Clock;
}

/** Where a command goes next, and whether ASKING must precede it. */
interface Target {
  readonly connection: Connection;
  readonly isAsking: boolean;
}

const firstPauseMs = 10;

/** A link over any router: sends commands, follows redirects, retries what Redis did not do, and translates errors. */
export class RoutedLink implements RedisLink {
  readonly #router: Router;
  readonly #options: LinkOptions;
  readonly #digests = new Map<string, string>();

  constructor(router: Router, options: LinkOptions) {
    this.#router = router;
    this.#options = options;
  }

  get status(): RedisStatus {
    return this.#router.status;
  }

  async send({ args, key }: RedisCommand): Promise<RedisReply> {
    const what = args[0] ?? '';
    assert(what !== '', 'a command has a name');
    const slot = key === undefined ? undefined : slotOf(key);
    return this.#translateErrors(what, () => this.#send(args, slot));
  }

  async pipeline(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]> {
    // All are sent in this turn of the event loop, so each connection sends its commands together.
    const outcomes = await Promise.allSettled(commands.map((command) => this.send(command)));
    return outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    });
  }

  async script({ name, source }: RedisScript, keys: readonly string[], args: readonly string[]): Promise<RedisReply> {
    const slot = oneSlotOf(keys);
    const rest = [String(keys.length), ...keys, ...args];
    const onAnswer = (connection: Connection) => void connection.scriptedSlots.add(slot);
    return this.#translateErrors(`the script ${name}`, async () => {
      try {
        return await this.#send(['EVALSHA', this.#digestOf(source), ...rest], slot, onAnswer);
      } catch (error) {
        if (!(error instanceof RedisErrorReply && error.word === 'NOSCRIPT')) throw error;
        return this.#send(['EVAL', source, ...rest], slot, onAnswer); // the server knows the script from now on
      }
    });
  }

  async waitReplicas(key: string, replicas: number, timeoutMs: number): Promise<number> {
    assert(timeoutMs >= 1, 'WAIT needs a time limit: with 0 Redis would wait for ever');
    const slot = slotOf(key);
    const { connection } = this.#router.nodeFor(slot);
    if (!connection.scriptedSlots.has(slot)) {
      throw unavailable(`this connection to Redis ${connection.name} has not written ${key}; write again first`);
    }
    const reply = await this.#translateErrors('WAIT', () =>
      connection.send(['WAIT', String(replicas), String(Math.ceil(timeoutMs))], timeoutMs),
    );
    return Number(reply);
  }

  async evictionPolicies(): Promise<readonly { readonly node: string; readonly policy: string }[]> {
    const policies = this.#router.primaries().map(async ({ connection }) => {
      return { node: connection.name, policy: await this.#translateErrors('CONFIG GET', () => policyOf(connection)) };
    });
    return Promise.all(policies);
  }

  close(): Promise<void> {
    return this.#router.close();
  }

  /** Translates error replies into the errors that `RedisLink` promises. */
  async #translateErrors<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RedisErrorReply) throw asTonnageError(error, what);
      throw error;
    }
  }

  /**
   * Sends a command in this turn of the event loop. Retries it, for at most `retryMs`, while Redis replies that it did
   * not do the command.
   */
  async #send(
    args: readonly string[],
    slot: number | undefined,
    onAnswer?: (connection: Connection) => void,
  ): Promise<RedisReply> {
    let node = this.#router.nodeFor(slot);
    let target: Target = { connection: node.connection, isAsking: false };
    const deadline = this.#options.clock.monotonic() + this.#options.retryMs;
    for (let attempt = 1; ; attempt += 1) {
      const { connection, isAsking } = target;
      try {
        const reply = await (isAsking ? connection.sendAsking(args) : connection.send(args));
        onAnswer?.(connection);
        return reply;
      } catch (error) {
        if (!(error instanceof RedisErrorReply)) throw error;
        ({ node, target } = await this.#next(error, { node, target, slot, attempt, deadline }));
      }
    }
  }

  /** The target of the next attempt after an error reply. @throws that reply if there is none */
  async #next(
    error: RedisErrorReply,
    was: {
      readonly node: RedisNode;
      readonly target: Target;
      readonly slot: number | undefined;
      readonly attempt: number;
      readonly deadline: number;
    },
  ): Promise<{ readonly node: RedisNode; readonly target: Target }> {
    const { endpoint } = was.target.connection;
    const redirect = redirectOf(error);
    const from = 'host' in endpoint ? endpoint.host : '';
    const follow = () => redirect && this.#router.redirected(redirect, was.slot, from);
    const redirectedTo = follow();
    if (!redirectedTo && !isTransient(error)) throw error;
    if (!redirectedTo) this.#router.transientError(was.node, error.word);
    // Follow the first two redirects at once: one to the new owner, one more while a slot is migrating.
    const pauseMs = redirectedTo && was.attempt <= 2 ? 0 : pauseAfter(was.attempt);
    if (this.#options.clock.monotonic() + pauseMs >= was.deadline) throw error;
    if (pauseMs > 0) await sleep(pauseMs);
    // During the pause the target of the redirect may have been closed.
    const node = (pauseMs > 0 ? follow() : redirectedTo) ?? this.#router.nodeFor(was.slot);
    const connection = await node.ready(Math.max(1, was.deadline - this.#options.clock.monotonic()));
    return { node, target: { connection, isAsking: redirect?.kind === 'ask' } };
  }

  #digestOf(source: string): string {
    const known = this.#digests.get(source);
    if (known !== undefined) return known;
    const digest = createHash('sha1').update(source).digest('hex');
    this.#digests.set(source, digest);
    return digest;
  }
}

function pauseAfter(attempt: number): number {
  return Math.min(firstPauseMs * 2 ** Math.min(attempt - 1, 16), limits.redisRetryPauseMsMax);
}

/** `maxmemory-policy` by CONFIG GET or, if that is not allowed, by INFO. */
async function policyOf(connection: Connection): Promise<string> {
  try {
    const reply = await connection.send(['CONFIG', 'GET', 'maxmemory-policy']);
    const policy = isList(reply) ? reply[1] : undefined;
    if (typeof policy === 'string') return policy;
  } catch (error) {
    if (!(error instanceof RedisErrorReply)) throw error;
  }
  const info = await connection.send(['INFO', 'memory']);
  const policy = /^maxmemory_policy:(\S+)/m.exec(String(info))?.[1];
  if (policy === undefined) throw new RedisErrorReply('no maxmemory_policy in the answer to INFO memory');
  return policy;
}
