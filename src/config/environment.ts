import { everyKey, valueOfText, type KeyInfo } from './keys.ts';
import { formatPath, type ConfigProblem } from './problems.ts';
import { nearest } from './suggest.ts';
import { emptyMap, mergeTrees, treeAt, type Tree } from './tree.ts';

/** The environment as the process was started with. */
export type Environment = Readonly<Record<string, string | undefined>>;

const prefix = 'TONNAGE_';

/**
 * Variables with our prefix that are no keys: a client's credentials (`tonnage usage --url`), and the mark that
 * `npm start` sets for its own defaults.
 */
export const reservedVariables: ReadonlySet<string> = new Set([
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

/** `gateway.defaultUpstream` is `TONNAGE_GATEWAY_DEFAULT_UPSTREAM`. */
function variableOf(path: readonly string[]): string {
  const words = path.map((key) => key.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase());
  return prefix + words.join('_');
}

/** The variables that set something: single values at fixed paths, so nothing below a name of the user's choice or a list. */
function settableVariables(): ReadonlyMap<string, Variable> {
  const keys = [...everyKey()].filter(
    ([path, info]) => info.scalars.size > 0 && !path.includes('NAME') && !path.includes('ITEM'),
  );
  return new Map(
    keys.map(([path, info]) => [
      variableOf(path),
      { path: info.shorthand === undefined ? path : [...path, info.shorthand], info },
    ]),
  );
}

/** Why a variable of ours sets nothing. */
function unknownVariable(name: string, settable: ReadonlyMap<string, Variable>): string {
  // Maps with names of the user's choice, and lists: they exist, but only in files.
  for (const [path, info] of everyKey()) {
    const variable = variableOf(path);
    if (name === variable || (info.named !== undefined && name.startsWith(`${variable}_`))) {
      return `unknown variable; variables set single values only, so set ${formatPath(path)} in a configuration file`;
    }
  }
  // Without what all of them have: a long name may have more slips than a short one.
  const known = [...settable.keys(), ...reservedVariables].map((each) => each.slice(prefix.length));
  const meant = nearest(name.slice(prefix.length), known);
  if (meant === undefined) return 'unknown variable; no key has this name';
  return `unknown variable; did you mean ${prefix}${meant}?`;
}

/** What the `TONNAGE_*` variables state, as one layer. An unknown one is a problem, since it is most likely a slip. */
export function readEnvironment(environment: Environment): { tree: Tree; problems: readonly ConfigProblem[] } {
  const settable = settableVariables();
  const problems: ConfigProblem[] = [];
  let tree: Tree = emptyMap({ kind: 'default' });
  for (const name of Object.keys(environment).toSorted((left, right) => (left < right ? -1 : 1))) {
    const text = environment[name];
    if (text === undefined || !name.startsWith(prefix) || reservedVariables.has(name)) continue;
    const variable = settable.get(name);
    if (variable === undefined) {
      problems.push({ origin: { kind: 'variable', name }, path: [], message: unknownVariable(name, settable) });
    } else {
      const value = valueOfText(text, variable.info);
      tree = mergeTrees(tree, treeAt(variable.path, { kind: 'scalar', value, origin: { kind: 'variable', name } }));
    }
  }
  return { tree, problems };
}
