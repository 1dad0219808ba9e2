import { assert, limits, TonnageError } from '../../base/index.ts';
import type { RedisCommand, RedisLink, RedisReply } from '../../redis-link/index.ts';
import { wrongType } from './call.ts';
import { renumberScript, replaceScript, stageScript } from './scripts.ts';

/**
 * What a ledger's number is while a rebuild is under way: no number, so that no delivery finds its place. The attempt
 * tells one that was interrupted from the next, whose calls it must not mix with, however late its own arrive.
 */
export interface Mark {
  readonly text: string;
  readonly attempt: number;
}

const markPattern = /^rebuilding:\d+:(\d+)$/;

/** The mark of a rebuild up to batch `number`, where the ledger's number is `kept` now (empty: it has none). */
export function nextMark(kept: string, number: number): Mark {
  const attempt = Number(markPattern.exec(kept)?.[1] ?? 0) + 1;
  return { text: `rebuilding:${number}:${attempt}`, attempt };
}

/** The ledger's number, or the mark in its place, in one tag; empty where it has neither. */
export async function keptText(link: RedisLink, numbersKey: string, ledgerId: string): Promise<string> {
  return String((await link.send({ key: numbersKey, args: ['HGET', numbersKey, ledgerId] })) ?? '');
}

/** Gives the ledger another number in one tag. Rejects with `store_rebuilding` when it is not `from` any more. */
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
  /** The mark that stands in the ledger's place. */
  readonly mark: Mark;
  /** What stands there afterwards: the mark again, or a number. */
  readonly to: string;
  /** Pages of fields and values, alternating. */
  readonly pages: AsyncIterable<readonly string[]> | Iterable<readonly string[]>;
}

/**
 * Puts other fields in the place of a hash, all at once: they are collected beside it, in the same slot, and renamed.
 * A name for each attempt keeps a late call of an earlier one out of this one's.
 */
export async function replaceHash(link: RedisLink, replacement: Replacement): Promise<void> {
  const { numbersKey, ledgerId, key, mark, to, pages } = replacement;
  const beside = (attempt: number) => `${key}:rebuild:${attempt}`;
  const mine = beside(mark.attempt);
  const leftOver = Array.from({ length: mark.attempt }, (_, index) => beside(index + 1));
  await link.send({ key, args: ['UNLINK', ...leftOver] });
  let isStaged = false;
  for await (const page of pages) {
    for (const fields of chunks(page, 2 * limits.redisWriteFieldsMax)) {
      const staged = await link.script(stageScript, [numbersKey, mine], [ledgerId, mark.text, ...fields]);
      expectApplied(staged, numbersKey);
      isStaged = true;
    }
  }
  const args = [ledgerId, mark.text, to, isStaged ? '1' : '0'];
  expectApplied(await link.script(replaceScript, [numbersKey, key, mine], args), numbersKey);
}

/** Throws unless a script that expects the mark of a rebuild was applied. */
export function expectApplied(reply: RedisReply, key: string): void {
  assert(typeof reply === 'object' && reply !== null, 'a script answers a list');
  const [kind] = reply;
  if (kind === 'applied') return;
  if (kind === 'type') throw wrongType(reply);
  throw new TonnageError(
    'store_rebuilding',
    `The number of this ledger at ${key} in Redis has changed meanwhile: is another process at work for the same ledger?`,
  );
}

/** Parts of a list, of `size` items or fewer. */
export function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

/** Sends commands, some hundreds at a time; answers what Redis did, in the same order. */
export async function pipelineAll(link: RedisLink, commands: readonly RedisCommand[]) {
  const replies = [];
  for (const part of chunks(commands, 500)) replies.push(...(await link.pipeline(part)));
  return replies;
}
