import type { z } from 'zod';
import { formOf, type ConfigKeys, type KeyInfo } from './keys.ts';
import { kindOf, oneOf, quote, shownOf, shownStep, type ConfigProblem } from './problems.ts';
import type { ConfigModel, Parsed } from './schema.ts';
import { nearest } from './suggest.ts';
import {
  emptyMap,
  keyOriginAt,
  nodeAt,
  originAt,
  plainOf,
  statedKeysAt,
  withoutPath,
  type Path,
  type Tree,
} from './tree.ts';
import { unknownKey } from './unknown-key.ts';

type Issue = z.core.$ZodIssue;

/** zod's names of types in plain words. */
const typeWords: ReadonlyMap<string, string> = new Map([
  ['object', 'a map of settings'],
  ['record', 'a map of settings'],
  ['array', 'a list'],
  ['boolean', 'true or false'],
]);

/** The valid values, if the issue is about a choice of values. */
function choicesOf(issue: Issue | z.core.$ZodRawIssue): readonly unknown[] | undefined {
  if (issue.code === 'invalid_value') return issue.values;
  const isChoice = issue.code === 'invalid_union' && 'options' in issue && Array.isArray(issue.options);
  return isChoice ? issue.options : undefined;
}

/** What was expected, for issues that the schema has no message for. `undefined`: zod's own message. */
function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  const choices = choicesOf(issue);
  if (choices !== undefined) return `expected ${oneOf(choices)}`;
  if (issue.code !== 'invalid_type') return undefined;
  return `expected ${typeWords.get(issue.expected) ?? `a ${issue.expected}`}`;
}

/** Expands short forms of maps: `metrics: 2112` becomes `metrics: { listen: 2112 }`, and `tls: true` becomes `tls: {}`. */
export function expandShorthands(tree: Tree, anyForm: KeyInfo | undefined): Tree {
  const info = anyForm && formOf(anyForm, tree);
  if (tree.kind === 'scalar' && tree.value !== null && info?.shorthand !== undefined) {
    return {
      kind: 'map',
      entries: new Map([[info.shorthand, { origin: tree.origin, value: tree }]]),
      origin: tree.origin,
    };
  }
  if (tree.kind === 'scalar' && tree.value === true && info?.orTrue === true) return emptyMap(tree.origin);
  if (tree.kind === 'list') return { ...tree, items: tree.items.map((item) => expandShorthands(item, info?.items)) };
  if (tree.kind !== 'map') return tree;
  const entries = [...tree.entries].map(([key, entry]) => {
    return [key, { ...entry, value: expandShorthands(entry.value, info?.keys.get(key) ?? info?.named) }] as const;
  });
  return { ...tree, entries: new Map(entries) };
}

/** Validates a tree with expanded short forms. Returns typed values, or all problems. */
export function validate(
  tree: Tree,
  { stated, keys }: ConfigModel,
): { parsed?: Parsed; problems: readonly ConfigProblem[] } {
  const result = stated.safeParse(plainOf(tree), { error: expectation });
  if (result.success) return { parsed: result.data, problems: [] };
  return { problems: result.error.issues.flatMap((issue) => problemsOf(issue, tree, keys)) };
}

/**
 * The valid part of a tree, so that the checks between keys can find more problems. It leaves out invalid values in
 * rounds, because a map can become invalid without one of its values. `undefined` if no valid part is found.
 */
export function salvage(tree: Tree, problems: readonly ConfigProblem[], model: ConfigModel): Parsed | undefined {
  let remains = tree;
  let found = problems;
  for (let round = 0; round < 5 && found.length > 0; round++) {
    remains = found.reduce((rest, problem) => withoutPath(rest, problem.path), remains);
    const checked = validate(remains, model);
    if (checked.parsed !== undefined) return checked.parsed;
    found = checked.problems;
  }
  return undefined;
}

function problemsOf(issue: Issue, tree: Tree, keys: ConfigKeys): ConfigProblem[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      origin: keyOriginAt(tree, [...path, key]),
      path: [...path, key],
      message: unknownKey(key, path, tree, keys),
    }));
  }
  if (issue.code === 'invalid_key') {
    const message = `${issue.issues[0]?.message ?? 'expected another name'}, but came ${quote(shownStep(path, path.length - 1))}`;
    return [{ origin: keyOriginAt(tree, path), path, message }];
  }
  if (nodeAt(tree, path) !== undefined) {
    const message = `${issue.message}, but ${cameAt(tree, path, keys)}${meantValue(issue, tree, path)}`;
    return [{ origin: originAt(tree, path), path, message }];
  }
  // A missing value has no place of its own, so the error points at the map that it belongs to.
  const parent = path.slice(0, -1);
  const origin = keyOriginAt(tree, parent);
  if (keys.at(path, tree)?.secret !== true) return [{ origin, path, message: `${issue.message}, but it is missing` }];
  // An unknown key is most likely a mistyped one. Its own error says what was meant.
  if (statedKeysAt(tree, parent).some((key) => keys.at([...parent, key], tree) === undefined)) return [];
  const key = String(path.at(-1));
  return [{ origin, path: parent, message: `expected ${key} or ${key}File, but both are missing` }];
}

/** What is stated at a path. It shows the value only if the key takes a single value that is not a secret. */
function cameAt(tree: Tree, path: Path, keys: ConfigKeys): string {
  const node = nodeAt(tree, path);
  if (node === undefined) return 'it is missing';
  const info = keys.at(path, tree);
  if (info?.secret === true) {
    const where = node.kind === 'scalar' && node.file !== undefined ? ` in ${quote(node.file)}` : '';
    return `came something else${where} (not shown, since it is a secret)`;
  }
  // A value in place of a map may be a secret that belongs in that map.
  const isSingle = info === undefined ? typeof path.at(-1) === 'number' : info.scalars.size > 0 && info.keys.size === 0;
  return `came ${isSingle ? shownOf(node) : kindOf(node)}`;
}

function meantValue(issue: Issue, tree: Tree, path: Path): string {
  const node = nodeAt(tree, path);
  const choices = choicesOf(issue);
  if (choices === undefined || node?.kind !== 'scalar' || typeof node.value !== 'string') return '';
  const meant = nearest(node.value, choices.map(String));
  return meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`;
}
