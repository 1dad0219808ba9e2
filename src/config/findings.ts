import { areRelated, quote, shownOf, type ConfigProblem } from './problems.ts';
import { keyOriginAt, nodeAt, originAt, statedKeysAt, type Path, type Tree } from './tree.ts';

/** Collects the problems between the keys of one part of the configuration. Paths begin at that part. */
export type PartFindings = Pick<Findings, 'isStated' | 'shown' | 'report'>;

/** Collects the problems between keys. It knows what was stated, which typed values do not show. */
export class Findings {
  readonly problems: ConfigProblem[] = [];
  readonly #tree: Tree;
  readonly #known: readonly ConfigProblem[];

  /** `tree` is all layers merged, including invalid values. `known` are the problems of the invalid values. */
  constructor(tree: Tree, known: readonly ConfigProblem[]) {
    this.#tree = tree;
    this.#known = known;
  }

  /** Whether a value is stated at `path`, valid or not. */
  isStated(path: Path): boolean {
    return nodeAt(this.#tree, path) !== undefined;
  }

  /** Whether the value at `path` is valid. If not, the typed value is a default in place of the stated one. */
  isValid(path: Path): boolean {
    return !this.#known.some((problem) => areRelated(problem.path, path));
  }

  /** Names that the map at `path` states, including those of invalid entries. */
  namesOf(path: Path): readonly string[] {
    return statedKeysAt(this.#tree, path);
  }

  /** Absolute path of the file that contains the value at `path`; `undefined` if the value is not in a file of its own. */
  fileOf(path: Path): string | undefined {
    const node = nodeAt(this.#tree, path);
    return node?.kind === 'scalar' ? node.file : undefined;
  }

  /** A value as it was stated. Its references are not replaced, because they may be secrets. */
  shown(path: Path, value: string | number): string {
    const node = nodeAt(this.#tree, path);
    if (node !== undefined) return shownOf(node);
    return typeof value === 'string' ? quote(value) : String(value);
  }

  /** Reports a problem of the value at `path`. */
  report(path: Path, message: string): void {
    this.problems.push({ origin: originAt(this.#tree, path), path, message });
  }

  /** The same for the keys below `prefix`. */
  within(prefix: Path): PartFindings {
    return {
      isStated: (path) => this.isStated([...prefix, ...path]),
      shown: (path, value) => this.shown([...prefix, ...path], value),
      report: (path, message) => this.report([...prefix, ...path], message),
    };
  }

  /** Reports a problem of a key, such as a missing one: the error points at the key, or at its map. */
  reportKey(path: Path, message: string): void {
    this.problems.push({ origin: keyOriginAt(this.#tree, path), path, message });
  }
}
