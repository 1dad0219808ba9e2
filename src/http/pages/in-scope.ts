import { encode, type Format } from '../../exposition/index.ts';
import { escapeLabelValue, type LabelSet, type MetricFamily, type MetricPoint } from '../../metric/index.ts';

/** The label that families of a Debusine source have if their series belong to scopes. */
const scopeLabel = 'scope';

/** Series that are compared between two pauses. */
const pointsPerStep = 512;

/** An empty chunk gives the caller a chance to pause. */
const pause = new Uint8Array();

/**
 * Encodes families as one scope sees them: a series with a label `scope` is kept if it has this scope, every other
 * series is kept. Yields chunks as `encode` does.
 */
export function* encodeInScope(
  families: readonly MetricFamily[],
  scope: string,
  format: Format,
): Generator<Uint8Array, void> {
  const kept: MetricFamily[] = [];
  for (const family of families) kept.push(yield* inScope(family, scope));
  yield* encode(kept, format);
}

function* inScope<F extends MetricFamily>(family: F, scope: string): Generator<Uint8Array, F> {
  const isVisible = visibleIn(scope);
  const points: MetricPoint[] = [];
  let compared = 0;
  for (const point of family.points) {
    if (isVisible(point.labels)) points.push(point);
    if (++compared % pointsPerStep === 0) yield pause;
  }
  return { ...family, points };
}

/**
 * Returns whether labels are visible in a scope. It searches the text of the labels, because taking all values apart is
 * ten times slower. A value cannot contain the text of another label: its quotes are escaped.
 */
function visibleIn(scope: string): (labels: LabelSet) => boolean {
  const first = `${scopeLabel}="${escapeLabelValue(scope)}"`;
  const later = `,${first}`;
  return ({ names, closed }) => {
    if (!names.includes(scopeLabel)) return true;
    return names[0] === scopeLabel ? closed.startsWith(first) : closed.includes(later);
  };
}
