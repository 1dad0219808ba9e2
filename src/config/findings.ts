import { areRelated, quote, shownOf, type ConfigProblem } from './problems.ts';
import { keyOriginAt, nodeAt, originAt, type Path, type Tree } from './tree.ts';

/** What is found wrong between values that are each valid, and what was stated, which the values alone do not say. */
export class Findings {
  readonly problems: ConfigProblem[] = [];
  readonly #tree: Tree;
  readonly #known: readonly ConfigProblem[];

  /**
   * `tree` is all layers merged: also with those values that are not valid and so did not come any further; `known` are
   * the problems of these.
   */
  constructor(tree: Tree, known: readonly ConfigProblem[]) {
    this.#tree = tree;
    this.#known = known;
  }

  /** Whether anything is stated at `path`, valid or not. */
  isStated(path: Path): boolean {
    return nodeAt(this.#tree, path) !== undefined;
  }

  /** Whether the value at `path` is what was stated, or its default: not one that stands in for what is not valid. */
  isValid(path: Path): boolean {
    return !this.#known.some((problem) => areRelated(problem.path, path));
  }

  /** Names that the tree states in a map, also of those entries that are not valid. */
  namesOf(path: Path): readonly string[] {
    const node = nodeAt(this.#tree, path);
    return node?.kind === 'map' ? [...node.entries.keys()] : [];
  }

  /** A value as it was written: what a reference in it stands for may be a secret. */
  shown(path: Path, value: string | number): string {
    const node = nodeAt(this.#tree, path);
    if (node !== undefined) return shownOf(node);
    return typeof value === 'string' ? quote(value) : String(value);
  }

  report(path: Path, message: string): void {
    this.problems.push({ origin: originAt(this.#tree, path), path: path, message });
  }

  /** For what is missing: points at the key under which it belongs. */
  reportKey(path: Path, message: string): void {
    this.problems.push({ origin: keyOriginAt(this.#tree, path), path: path, message });
  }
}
