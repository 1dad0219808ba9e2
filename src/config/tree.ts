/** Where a value is stated, for errors. Lines and columns count from 1. */
export type Origin =
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: 'whole-file'; readonly file: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'default' };

/** A key of a map, or a position in a list. */
type PathStep = string | number;
export type Path = readonly PathStep[];

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  readonly origin: Origin;
  /** The stated template, if `${NAME}` was replaced in it. Errors show it, because the value may contain a secret. */
  readonly written?: string;
  /** Absolute path of the file that contains the value, if a `...File` key states it. */
  readonly file?: string;
}

interface ListNode {
  readonly kind: 'list';
  readonly items: readonly Tree[];
  readonly origin: Origin;
}

export interface MapEntry {
  /** Origin of the key. */
  readonly origin: Origin;
  readonly value: Tree;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly origin: Origin;
}

/** The values that one layer (file, environment, flags) states, with their origins. Immutable. */
export type Tree = ScalarNode | ListNode | MapNode;

export function emptyMap(origin: Origin): MapNode {
  return { kind: 'map', entries: new Map(), origin };
}

/** `lower`, overridden by `upper`. Maps are merged key by key; everything else is replaced as a whole. */
export function mergeTrees(lower: Tree, upper: Tree): Tree {
  if (lower.kind !== 'map' || upper.kind !== 'map') return upper;
  const entries = new Map(lower.entries);
  for (const [key, entry] of upper.entries) {
    const below = entries.get(key);
    entries.set(key, below === undefined ? entry : { ...entry, value: mergeTrees(below.value, entry.value) });
  }
  return { kind: 'map', entries, origin: upper.origin };
}

/** A tree of maps with a single value, at `path`: an environment variable or a flag as a layer. */
export function treeAt(path: readonly string[], value: Tree): Tree {
  return path.reduceRight<Tree>(
    (inner, key) => ({
      kind: 'map',
      entries: new Map([[key, { origin: value.origin, value: inner }]]),
      origin: value.origin,
    }),
    value,
  );
}

/** The node at `path`; `undefined` if nothing is stated there. */
export function nodeAt(tree: Tree, path: Path): Tree | undefined {
  let node: Tree | undefined = tree;
  for (const step of path) {
    if (node?.kind === 'map') node = node.entries.get(String(step))?.value;
    else if (node?.kind === 'list' && typeof step === 'number') node = node.items[step];
    else return undefined;
  }
  return node;
}

/** Keys that the map at `path` states. */
export function statedKeysAt(tree: Tree, path: Path): readonly string[] {
  const node = nodeAt(tree, path);
  return node?.kind === 'map' ? [...node.entries.keys()] : [];
}

/** Origin of the value at `path`, or of its nearest stated ancestor. */
export function originAt(tree: Tree, path: Path): Origin {
  for (let length = path.length; length > 0; length--) {
    const node = nodeAt(tree, path.slice(0, length));
    if (node !== undefined) return node.origin;
  }
  return tree.origin;
}

/** Origin of the last key of `path`, or of the nearest stated ancestor's value. */
export function keyOriginAt(tree: Tree, path: Path): Origin {
  const parent = nodeAt(tree, path.slice(0, -1));
  const entry = parent?.kind === 'map' ? parent.entries.get(String(path.at(-1))) : undefined;
  return entry?.origin ?? originAt(tree, path);
}

/** The tree without the value at `path`. Without the whole list if that is an item, and without its parent if it is missing. */
export function withoutPath(tree: Tree, path: Path): Tree {
  const [step, ...rest] = path;
  if (tree.kind !== 'map' || typeof step !== 'string') return tree;
  const entries = new Map(tree.entries);
  const entry = entries.get(step);
  const child = entry === undefined ? undefined : withoutPath(entry.value, rest);
  // An unchanged child is the last of the path, or a list, or a map without the next key.
  if (entry === undefined) return tree;
  if (child === undefined || child === entry.value) entries.delete(step);
  else entries.set(step, { ...entry, value: child });
  return { ...tree, entries };
}

/** The values without their origins. */
export function plainOf(tree: Tree): unknown {
  if (tree.kind === 'scalar') return tree.value;
  if (tree.kind === 'list') return tree.items.map(plainOf);
  return Object.fromEntries([...tree.entries].map(([key, entry]) => [key, plainOf(entry.value)]));
}
