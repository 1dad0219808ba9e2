import { limits } from '../../base/index.ts';
import type { SharedValuesOf } from '../../store/index.ts';
import { sharedValuesKey } from '../layout.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { textsOf } from '../reply.ts';

const daySeconds = 86_400;

export interface ValuesOptions {
  readonly link: Pick<RedisLink, 'send'>;
  /** For how many days after its day an event is accepted. */
  readonly dedupeDays: number;
}

/** Implements `SharedClaims.shareValues`. */
export async function shareValues(
  { link, dedupeDays }: ValuesOptions,
  { day, dimension, owner, values, cap }: SharedValuesOf & { readonly values: readonly string[]; readonly cap: number },
): Promise<readonly string[] | undefined> {
  const key = sharedValuesKey(day, dimension, owner);
  for (let from = 0; from < values.length; from += limits.redisWriteFieldsMax) {
    await link.send({ key, args: ['SADD', key, ...values.slice(from, from + limits.redisWriteFieldsMax)] });
  }
  // Keep the set a few days longer than needed: events may be dated ahead, and clocks differ.
  await link.send({ key, args: ['EXPIRE', key, String((dedupeDays + 3) * daySeconds)] });
  const count = Number(await link.send({ key, args: ['SCARD', key] }));
  if (count < cap) return undefined;
  return textsOf(await link.send({ key, args: ['SMEMBERS', key] }));
}
