import type { CruisedModule } from '../layers/cruise.ts';

/** One folder of `src/` imports another. `types`: it imports types only. */
interface Edge {
  readonly from: string;
  readonly to: string;
  readonly types: boolean;
}

/**
 * The folders of `src/` and their imports as a Mermaid flowchart. Dotted arrows are imports of types only. To keep the
 * picture readable, an arrow that follows from others (`a` to `c`, with `a` to `b` to `c`) is omitted.
 */
export function layerGraph(modules: readonly CruisedModule[]): string {
  const edges = reduce(collectEdges(modules));
  const names = [...new Set(edges.flatMap(({ from, to }) => [from, to]))].toSorted();
  return [
    'flowchart TD',
    ...names.map((name) => `  ${idOf(name)}["${name}"]`),
    ...edges.map(({ from, to, types }) => `  ${idOf(from)} ${types ? '-.->' : '-->'} ${idOf(to)}`),
  ].join('\n');
}

/** Edges between folders, sorted. Imports of tests are not edges. */
function collectEdges(modules: readonly CruisedModule[]): Edge[] {
  const edges = new Map<string, Edge>();
  for (const { source, dependencies } of modules.filter(({ source }) => !isTest(source))) {
    for (const { resolved, dependencyTypes } of dependencies) {
      const [from, to] = [nodeOf(source), nodeOf(resolved)];
      if (from === undefined || to === undefined || from === to) continue;
      const types = dependencyTypes.includes('type-only') && edges.get(`${from} ${to}`)?.types !== false;
      edges.set(`${from} ${to}`, { from, to, types });
    }
  }
  return [...edges.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, edge]) => edge);
}

/**
 * Omits each edge whose end a longer path reaches. For an edge of real imports, only a path of real imports counts. The layer
 * rules forbid cycles.
 */
function reduce(edges: readonly Edge[]): Edge[] {
  const next = (node: string, types: boolean) => edges.filter((edge) => edge.from === node && (types || !edge.types));
  const reaches = (from: string, to: string, types: boolean): boolean =>
    next(from, types).some((edge) => edge.to === to || reaches(edge.to, to, types));
  return edges.filter(
    ({ from, to, types }) => !next(from, types).some((edge) => edge.to !== to && reaches(edge.to, to, types)),
  );
}

/** The node of a file: its folder below `src/`. Drivers have a node of their own, and so does a file directly in `src/`. */
function nodeOf(path: string): string | undefined {
  return /^src\/(.+\/drivers|[^/]+)/.exec(path)?.[1];
}

function isTest(path: string): boolean {
  return /[.]test[.]ts$|conformance[.]ts$|[.]testing[.]ts$|\/testing\//.test(path);
}

function idOf(name: string): string {
  return name.replaceAll(/[^a-z0-9]/gi, '_');
}
