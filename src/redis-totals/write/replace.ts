import { assert, limits, TonnageError } from '../../base/index.ts';
import type { RedisCommand, RedisLink, RedisReply } from '../../redis-link/index.ts';
import { wrongType } from './call.ts';
import { renumberScript, replaceScript, stageScript } from './scripts.ts';

/**
 * Replaces a ledger's number during a rebuild, so that every delivery fails. Each attempt has a mark of its own: late
 * calls of an interrupted attempt must not affect the next one.
 */
export interface Mark {
  readonly text: string;
  readonly attempt: number;
}

const markPattern = /^rebuilding:\d+:(\d+)$/;

/** The mark of a rebuild up to batch `number`. `kept` is the ledger's current number or mark; empty if it has none. */
export function nextMark(kept: string, number: number): Mark {
  const attempt = Number(markPattern.exec(kept)?.[1] ?? 0) + 1;
  return { text: `rebuilding:${number}:${attempt}`, attempt };
}

/** The ledger's number in one tag, or the mark that replaces it; empty if there is neither. */
export async function keptText(link: RedisLink, numbersKey: string, ledgerId: string): Promise<string> {
  return String((await link.send({ key: numbersKey, args: ['HGET', numbersKey, ledgerId] })) ?? '');
}

/** Changes the ledger's number in one tag. Rejects with `store_rebuilding` if it is no longer `from`. */
export async function renumber(
  link: RedisLink,
  { numbersKey, ledgerId, from, to }: { numbersKey: string; ledgerId: string; from: string; to: string },
): Promise<void> {
  expectApplied(await link.script(renumberScript, [numbersKey], [ledgerId, from, to]), numbersKey);
}

export interface Replacement {
  readonly numbersKey: string;
  readonly ledgerId: string;
  readonly key: string;
  /** The mark that replaces the ledger's number now. */
  readonly mark: Mark;
  /** The number or mark afterwards. */
  readonly to: string;
  /** Pages of fields and values, alternating. */
  readonly pages: AsyncIterable<readonly string[]> | Iterable<readonly string[]>;
}

/**
 * Replaces all fields of a hash atomically: stages them in another key of the same slot, then renames that key. Each
 * attempt has its own staging key, so that late calls of an earlier attempt cannot write to it. Rejects with
 * `store_rebuilding` if another process has changed the mark, and with the link's errors.
 */
export async function replaceHash(link: RedisLink, replacement: Replacement): Promise<void> {
  const { numbersKey, ledgerId, key, mark, to, pages } = replacement;
  const stagingKey = (attempt: number) => `${key}:rebuild:${attempt}`;
  const staging = stagingKey(mark.attempt);
  const leftOver = Array.from({ length: mark.attempt }, (_, index) => stagingKey(index + 1));
  await link.send({ key, args: ['UNLINK', ...leftOver] });
  let isStaged = false;
  for await (const page of pages) {
    for (const fields of chunks(page, 2 * limits.redisWriteFieldsMax)) {
      const staged = await link.script(stageScript, [numbersKey, staging], [ledgerId, mark.text, ...fields]);
      expectApplied(staged, numbersKey);
      isStaged = true;
    }
  }
  const args = [ledgerId, mark.text, to, isStaged ? '1' : '0'];
  expectApplied(await link.script(replaceScript, [numbersKey, key, staging], args), numbersKey);
}

/** Throws `store_invalid` or `store_rebuilding` unless a script of a rebuild was applied. */
export function expectApplied(reply: RedisReply, key: string): void {
  assert(typeof reply === 'object' && reply !== null, 'a script answers a list');
  const [kind] = reply;
  if (kind === 'applied') return;
  if (kind === 'type') throw wrongType(reply);
  throw new TonnageError(
    'store_rebuilding',
    `The number of this ledger at ${key} in Redis has changed: does another process write for the same ledger?`,
  );
}

/** Splits a list into parts of at most `size` items. */
export function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

/** Sends commands in pipelines of at most 500. Returns the replies in the same order. */
export async function pipelineAll(link: RedisLink, commands: readonly RedisCommand[]) {
  const replies = [];
  for (const part of chunks(commands, 500)) replies.push(...(await link.pipeline(part)));
  return replies;
}
