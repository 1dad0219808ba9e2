import { valueOfText, type ConfigKeys, type KeyInfo } from './keys.ts';
import { formatPath, type ConfigProblem } from './problems.ts';
import { nearest } from './suggest.ts';
import { emptyMap, mergeTrees, treeAt, type Tree } from './tree.ts';

/** The environment variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

const prefix = 'TONNAGE_';

/**
 * Variables with the prefix that are not keys: the credentials of a client (`tonnage usage --url`), and the variable
 * with which `npm start` selects its own defaults.
 */
const reservedVariables: ReadonlySet<string> = new Set([
  'TONNAGE_TOKEN',
  'TONNAGE_TOKEN_FILE',
  'TONNAGE_PLATFORM_TOKEN',
  'TONNAGE_PASSWORD',
  'TONNAGE_START',
]);

interface Variable {
  readonly path: readonly string[];
  readonly info: KeyInfo;
}

/** The variable of a key: `TONNAGE_GATEWAY_DEFAULT_UPSTREAM` for `gateway.defaultUpstream`. */
function variableOf(path: readonly string[]): string {
  const words = path.map((key) => key.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase());
  return prefix + words.join('_');
}

/** The variables that set a key. Only single values have one, and none below a list or a name that the user chooses. */
function settableVariables(keys: ConfigKeys): ReadonlyMap<string, Variable> {
  const settable = [...keys.every()].filter(
    ([path, info]) => info.scalars.size > 0 && !path.includes('NAME') && !path.includes('ITEM'),
  );
  return new Map(
    settable.map(([path, info]) => [
      variableOf(path),
      { path: info.shorthand === undefined ? path : [...path, info.shorthand], info },
    ]),
  );
}

/** The error for a variable that sets no key. */
function unknownVariable(name: string, keys: ConfigKeys, settable: ReadonlyMap<string, Variable>): string {
  // Some keys are valid in files only: maps, lists, and what is below them.
  for (const [path, info] of keys.every()) {
    const variable = variableOf(path);
    if (name === variable || (info.named !== undefined && name.startsWith(`${variable}_`))) {
      return `unknown variable; variables set single values only, so set ${formatPath(path)} in a configuration file`;
    }
  }
  // Compare without the common prefix, because a longer name may differ in more letters.
  const known = [...settable.keys(), ...reservedVariables].map((each) => each.slice(prefix.length));
  const meant = nearest(name.slice(prefix.length), known);
  if (meant === undefined) return 'unknown variable; no key has this name';
  return `unknown variable; did you mean ${prefix}${meant}?`;
}

/** The layer that the `TONNAGE_*` variables state. An unknown variable is a problem: it is most likely mistyped. */
export function readEnvironment(
  environment: Environment,
  keys: ConfigKeys,
): { tree: Tree; problems: readonly ConfigProblem[] } {
  const settable = settableVariables(keys);
  const problems: ConfigProblem[] = [];
  let tree: Tree = emptyMap({ kind: 'default' });
  for (const name of Object.keys(environment).toSorted((left, right) => (left < right ? -1 : 1))) {
    const text = environment[name];
    if (text === undefined || !name.startsWith(prefix) || reservedVariables.has(name)) continue;
    const variable = settable.get(name);
    if (variable === undefined) {
      problems.push({ origin: { kind: 'variable', name }, path: [], message: unknownVariable(name, keys, settable) });
    } else {
      const value = valueOfText(text, variable.info);
      tree = mergeTrees(tree, treeAt(variable.path, { kind: 'scalar', value, origin: { kind: 'variable', name } }));
    }
  }
  return { tree, problems };
}
