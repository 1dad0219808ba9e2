import type { ConfigKeys } from './keys.ts';
import { formatPath, oneOf, shownOf } from './problems.ts';
import { nearest } from './suggest.ts';
import { nodeAt, statedKeysAt, type Path, type Tree } from './tree.ts';

/**
 * The error for an unknown key in the map at `parent` of `tree`. It suggests the key that was most likely meant, if that
 * one is valid there or nearby; otherwise it lists the valid keys. It does not suggest a key of the same name in another
 * part of the configuration: `password` of an upstream is of no use to a user.
 */
export function unknownKey(key: string, parent: Path, tree: Tree, keys: ConfigKeys): string {
  if (key.includes(':')) return 'unknown key; is a space missing after its colon?';
  const ofOtherForm = keyOfOtherForm(key, parent, tree, keys);
  if (ofOtherForm !== undefined) return ofOtherForm;
  const siblings = [...(keys.at(parent, tree)?.keys.keys() ?? [])];
  const stated = statedKeysAt(tree, parent);
  const free = siblings.filter((sibling) => !stated.includes(sibling));
  const meant = nearest(key, siblings) ?? wordOf(key, free);
  if (meant !== undefined) return `unknown key; did you mean ${meant}?`;
  return misplaced(key, parent, keys) ?? `unknown key; the keys here are ${siblings.join(', ')}`;
}

/** The error for a key that a map has only if one of its other keys has another value. */
function keyOfOtherForm(key: string, parent: Path, tree: Tree, keys: ConfigKeys): string | undefined {
  const forms = keys.at(parent)?.forms;
  if (forms === undefined) return undefined;
  const having = [...forms.byValue].filter(([, form]) => form.keys.has(key)).map(([value]) => value);
  if (having.length === 0) return undefined;
  const node = nodeAt(tree, [...parent, forms.key]);
  const came = node === undefined ? 'is missing' : `is ${shownOf(node)}`;
  const only = having.length === 1 ? 'only it has' : 'only they have';
  return `expected ${forms.key} ${oneOf(having)}, because ${only} this key, but ${forms.key} ${came}`;
}

/** Shorter parts match too many names. */
const partLengthMin = 4;

/** The shortest key with a word that begins with `part`: `passwordHash` for `password`, `outboxKeep` for `keep`. */
function wordOf(part: string, keys: readonly string[]): string | undefined {
  if (part.length < partLengthMin) return undefined;
  const begin = part.toLowerCase();
  const found = keys.filter((key) => {
    const starts = [...key.matchAll(/(?<=^|[a-z])[A-Z]|^/g)].map(({ index }) => index);
    return starts.some((start) => key.slice(start).toLowerCase().startsWith(begin));
  });
  return found.toSorted((left, right) => left.length - right.length)[0];
}

/** Suggests the same key in an inner map, if only one has it, or in the innermost outer map that has it. */
function misplaced(key: string, parent: Path, keys: ConfigKeys): string | undefined {
  const places = [...keys.every()].map(([path]) => path).filter((path) => path.at(-1) === key);
  const inside = places.filter((path) => path.length > parent.length + 1 && leads(parent, path));
  // Seen from the top, every map is an inner one. Short and deeply nested names have a different meaning in each.
  const isNear = (path: Path): boolean => path.length === 2 && key.length >= partLengthMin;
  const near = parent.length > 0 ? inside : inside.filter(isNear);
  const [only] = near;
  if (only !== undefined && inside.length === 1) {
    return `unknown key here; did you mean ${formatPath(only.slice(parent.length))}?`;
  }
  const outside = places.filter(
    (path) => path.length <= parent.length && leads(parent.slice(0, path.length - 1), path),
  );
  const innermost = outside.toSorted((left, right) => right.length - left.length)[0];
  if (innermost === undefined) return undefined;
  const holder = formatPath(parent.slice(0, innermost.length - 1));
  return `unknown key here; it belongs ${holder === '' ? 'at the top level of the configuration' : `under ${holder}`}`;
}

/** Whether a path of real names and positions matches the beginning of a path of the schema. */
function leads(path: Path, place: readonly string[]): boolean {
  return path.every((step, index) => {
    const at = place[index];
    return step === at || at === (typeof step === 'number' ? 'ITEM' : 'NAME');
  });
}
