import { assert, limits, TonnageError, type Clock, type Log } from '../../base/index.ts';
import { voidCell } from '../../usage/index.ts';
import type {
  ClaimRequest,
  KeyHash,
  SettledClaims,
  SharedClaims,
  SharedValuesOf,
  StoredKeyHash,
} from '../../store/index.ts';
import { hashKeyKey, seenDaysKey, seenLedgersKey } from '../layout.ts';
import type { RedisLink, RedisReply } from '../../redis-link/index.ts';
import { textsOf } from '../reply.ts';
import { wrongType } from '../write/call.ts';
import { StoreGuard } from '../write/guard.ts';
import { cellText, parseCell } from './cell-text.ts';
import { claimScript } from './claim-script.ts';
import { shareValues } from './values.ts';
import { dayOf, outdated, periodsAt } from './periods.ts';

export interface SharedClaimsOptions {
  /** A link only for claims, because WAIT blocks all later commands of its connection. */
  readonly link: RedisLink;
  readonly ledgerId: string;
  readonly storedKeyHash: StoredKeyHash;
  readonly dedupeDays: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly allowEviction: boolean;
  /** The number of replicas that must have a claim before its event counts. */
  readonly minReplicas: number;
}

/** Claims events among all instances that count into one Redis. The caller closes the link. */
export class RedisClaims implements SharedClaims {
  readonly #options: SharedClaimsOptions;
  readonly #guard: StoreGuard;

  constructor(options: SharedClaimsOptions) {
    this.#options = options;
    this.#guard = new StoreGuard({ ...options, shared: true });
  }

  get keyHash(): KeyHash | undefined {
    const { current, isShared } = this.#options.storedKeyHash;
    return isShared ? current : undefined;
  }

  async agree(): Promise<KeyHash> {
    const { link, storedKeyHash } = this.#options;
    this.#guard.invalidate();
    await this.#guard.check();
    await link.send({ key: hashKeyKey, args: ['SET', hashKeyKey, keyHashText(storedKeyHash.current), 'NX'] });
    const agreed = parseKeyHash(await link.send({ key: hashKeyKey, args: ['GET', hashKeyKey] }));
    await storedKeyHash.share(agreed);
    return agreed;
  }

  async claim(request: ClaimRequest): Promise<SettledClaims> {
    const { link, ledgerId, clock, dedupeDays } = this.#options;
    await this.#guard.check();
    const { periods, current } = periodsAt(clock.now(), dedupeDays);
    const here = periods[current];
    assert(here, 'the current period is one of the periods');
    const keys = [seenLedgersKey, seenDaysKey, ...periods.flatMap(({ seen, cells }) => [seen, cells])];
    const args = [ledgerId, String(current + 1), dayOf(here), ...argumentsOf(request)];
    const settled = settledOf(request, await link.script(claimScript, keys, args));
    await this.#untilReplicated();
    return settled;
  }

  async forget(): Promise<void> {
    const { link, clock, dedupeDays } = this.#options;
    const days = await link.send({ key: seenDaysKey, args: ['SMEMBERS', seenDaysKey] });
    for (const period of outdated(textsOf(days), clock.now(), dedupeDays)) {
      await link.send({ key: period.seen, args: ['UNLINK', period.seen, period.cells] });
      await link.send({ key: seenDaysKey, args: ['SREM', seenDaysKey, dayOf(period)] });
    }
  }

  shareValues(of: SharedValuesOf, values: readonly string[], cap: number): Promise<readonly string[] | undefined> {
    return shareValues(this.#options, { ...of, values, cap });
  }

  /** Rejects with `redis_unavailable` if too few replicas have the claims: a failover could lose them. */
  async #untilReplicated(): Promise<void> {
    const { link, minReplicas } = this.#options;
    if (minReplicas === 0) return;
    const have = await link.waitReplicas(seenLedgersKey, minReplicas, limits.replicaWaitMsMax);
    if (have >= minReplicas) return;
    throw new TonnageError(
      'redis_unavailable',
      `${have} replicas have the claims of this instance's events, expected ${minReplicas} (store.minReplicas)`,
    );
  }
}

/** The version of the hash as a prefix, and the secret in hex. Version 1 has no prefix, as in earlier releases. */
function keyHashText({ version, secret }: KeyHash): string {
  const hex = Buffer.from(secret).toString('hex');
  return version === 1 ? hex : `${version}:${hex}`;
}

function parseKeyHash(kept: RedisReply): KeyHash {
  const [, prefix, hex] = typeof kept === 'string' ? (/^(2:)?([0-9a-f]{64})$/.exec(kept) ?? []) : [];
  if (hex !== undefined) return { version: prefix === undefined ? 1 : 2, secret: Buffer.from(hex, 'hex') };
  throw new TonnageError(
    'store_invalid',
    `Key ${hashKeyKey} in Redis: expected 64 hexadecimal digits, or 2: and 64 hexadecimal digits`,
  );
}

function argumentsOf(request: ClaimRequest): readonly string[] {
  const texts = request.cells.map(cellText);
  const kinds = request.cellOf.map((cell) => (cell === voidCell ? '0' : String(cell + 1)));
  const { targets } = request;
  const lists = [
    texts,
    request.keys,
    request.places,
    kinds,
    request.quantities.map(String),
    targets.map(({ key }) => key),
    targets.map(({ held }) => held?.place ?? ''),
    targets.map(({ held }) => String((held?.cell ?? 0) + 1)),
    targets.map(({ held }) => String(held?.quantity ?? 0)),
    targets.map(({ held }) => (held?.isVoided === true ? '1' : '0')),
  ];
  return lists.flatMap((list) => [String(list.length), ...list]);
}

function settledOf({ runs, keys, targets }: ClaimRequest, reply: RedisReply): SettledClaims {
  assert(typeof reply === 'object' && reply !== null, 'a script answers with a list');
  const [kind, text, back] = reply;
  if (kind === 'type') throw wrongType(reply);
  assert(kind === 'claimed' && typeof text === 'string' && text.length === keys.length, 'each claim has a verdict');
  assert(typeof back === 'object' && back !== null, 'the amounts taken back are a list');
  return { runs, verdicts: Uint8Array.from(text, Number), takenBack: takenBackOf(back.map(String), targets) };
}

function takenBackOf(back: readonly string[], targets: ClaimRequest['targets']): SettledClaims['takenBack'] {
  const increments: SettledClaims['takenBack'][number][] = [];
  for (let index = 0; index < back.length; index += 4) {
    const [text = '', quantity = '0', where = '', target = ''] = back.slice(index, index + 4);
    const [run, position] = where.split('.').map(Number);
    const key = targets[Number(target)]?.key;
    const isOwn = run !== undefined && position !== undefined && key !== undefined;
    const place = isOwn && { place: { run, position, key } };
    increments.push({ ...parseCell(text), quantity: -BigInt(quantity), ...place });
  }
  return increments;
}
