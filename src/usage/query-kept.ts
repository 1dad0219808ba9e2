import { TonnageError } from '../base/index.ts';
import { dimensions, type Dimension } from './dimensions.ts';
import type { UsageQuery } from './query.ts';
import { quote } from './refused.ts';

/**
 * Throws `bad_request` if a query uses a dimension that is not in `kept`: the result would look as if no event had that dimension.
 */
export function assertKept(
  { by, where, distinct }: Pick<UsageQuery, 'by' | 'where' | 'distinct'>,
  kept: readonly Dimension[],
): void {
  const list = kept.join(', ');
  for (const name of by) {
    if (kept.includes(name)) continue;
    throw new TonnageError('bad_request', `by: expected dimensions that are kept (${list}), got ${quote(name)}`);
  }
  for (const name of dimensions) {
    if (where[name] === undefined || kept.includes(name)) continue;
    throw new TonnageError('bad_request', `${name}: expected a dimension that is kept (${list})`);
  }
  if (distinct === undefined || kept.includes(distinct)) return;
  throw new TonnageError(
    'bad_request',
    `distinct: expected a dimension that is kept (${list}), got ${quote(distinct)}`,
  );
}
