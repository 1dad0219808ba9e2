import type { JSONPathNode, JSONPathQuery, JSONValue } from 'json-p3';
import { limits, messageOf, type Clock } from '../../../base/index.ts';
import type { MetricFamily } from '../../../metric/index.ts';
import { exact, numberOf, type Cell } from '../../declared/cell.ts';
import { DeclaredFamilyBuilder, type CellReader } from '../../declared/family-builder.ts';
import { declaredMetric } from '../../declared/metric.ts';
import { SourceError } from '../../source-error.ts';
import type { HttpJsonMetric, HttpJsonOptions } from './options.ts';
import { compilePath } from './path.ts';

/** What a document gave. */
interface DocumentReading {
  readonly families: readonly MetricFamily[];
  /** The time of the data, in Unix seconds. */
  readonly timestamp: number | undefined;
  /** Metrics that left out nodes because these had no value, with their number. */
  readonly omitted: ReadonlyMap<string, number>;
}

/** Nodes that are read between two looks at the clock. */
const nodesPerStep = 64;

/** The place of the name or index of the node. No path can be like it. */
const keyPlace = '';

/** Reads documents. Compiles the paths once. */
export class DocumentReader {
  readonly #options: HttpJsonOptions;
  readonly #clock: Clock;
  readonly #paths = new Map<string, JSONPathQuery>();

  constructor(options: HttpJsonOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Turns a parsed document into families, in steps. Rejects with a `SourceError` (`invalid`). */
  async read(document: unknown): Promise<DocumentReading> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of the library have no bigint, which it passes on
    const root = document as JSONValue;
    const { timestamp, metrics } = this.#options;
    const families: MetricFamily[] = [];
    const omitted = new Map<string, number>();
    for (const metric of metrics) {
      const builder = await this.#build(metric, root);
      families.push(builder.family());
      if (builder.omitted > 0) omitted.set(builder.name, builder.omitted);
    }
    const time = timestamp === undefined ? null : this.#time(timestamp, root);
    return { families, omitted, timestamp: time === null ? undefined : Number(time) };
  }

  async #build(stated: HttpJsonMetric, root: JSONValue): Promise<DeclaredFamilyBuilder<string>> {
    const { keyLabel, labels, nodes } = stated;
    const metric = { ...stated, labels: { ...(keyLabel !== undefined && { [keyLabel]: keyPlace }), ...labels } };
    const builder = new DeclaredFamilyBuilder(declaredMetric(metric));
    const reader = new NodeReader(metric, (path) => this.#compiled(path));
    let count = 0;
    let begun = this.#clock.monotonic();
    for (const node of selected(this.#compiled(nodes), root, stated.name)) {
      if (++count > this.#options.nodesMax) {
        throw new SourceError(
          'invalid',
          `expected at most ${this.#options.nodesMax} nodes of ${stated.name}, got more`,
        );
      }
      reader.node = node;
      builder.add(reader);
      if (count % nodesPerStep > 0 || this.#clock.monotonic() - begun < limits.expositionStretchMsMax) continue;
      await new Promise((resume) => setImmediate(resume));
      begun = this.#clock.monotonic();
    }
    if (count === 0 && this.#compiled(nodes).singularQuery()) {
      throw new SourceError('invalid', `expected a node at ${nodes} of ${stated.name}, got none`);
    }
    return builder;
  }

  #time(path: string, root: JSONValue) {
    const place = `${path} (timestamp)`;
    const node = this.#compiled(path).match(root);
    if (node === undefined) throw new SourceError('invalid', `expected a value at ${place}, got none`);
    return numberOf(cellOf(node.value), place);
  }

  #compiled(path: string): JSONPathQuery {
    const known = this.#paths.get(path);
    if (known !== undefined) return known;
    const compiled = compilePath(path);
    this.#paths.set(path, compiled);
    return compiled;
  }
}

function* selected(query: JSONPathQuery, root: JSONValue, name: string): Generator<JSONPathNode> {
  try {
    yield* query.lazyQuery(root);
  } catch (thrown) {
    if (thrown instanceof SourceError) throw thrown;
    throw new SourceError('invalid', `the nodes of ${name} cannot be selected: ${messageOf(thrown)}`);
  }
}

/** Reads the cells of one node after another. */
class NodeReader implements CellReader<string> {
  node: JSONPathNode | undefined;
  readonly #name: string;
  readonly #labels: ReadonlySet<string>;
  readonly #compiled: (path: string) => JSONPathQuery;

  constructor({ name, labels }: HttpJsonMetric, compiled: (path: string) => JSONPathQuery) {
    this.#name = name;
    this.#labels = new Set(Object.values(labels));
    this.#compiled = compiled;
  }

  /** A label that the node does not have is empty. A value that it does not have is an error. */
  cell(path: string): Cell {
    if (path === keyPlace) return String(this.node?.location.at(-1) ?? '');
    const found = this.#compiled(path).match(this.node?.value);
    if (found !== undefined) return cellOf(found.value);
    return this.#labels.has(path) ? null : { what: 'none' };
  }

  describe(path: string): string {
    return `${path === keyPlace ? 'the key' : path} of ${this.#name}`;
  }
}

function cellOf(value: unknown): Cell {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return value;
  if (typeof value === 'bigint') return exact(value);
  return { what: Array.isArray(value) ? 'a list' : 'an object' };
}
