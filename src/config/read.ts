import { complete, type CompleteOptions } from './complete.ts';
import { readEnvironment, type Environment } from './environment.ts';
import { keyAt, rootKey, valueOfText } from './keys.ts';
import { parseYaml } from './parse-yaml.ts';
import { areRelated, ConfigError, type ConfigProblem } from './problems.ts';
import { followReferences } from './references.ts';
import type { Config } from './schema.ts';
import { emptyMap, mergeTrees, nodeAt, treeAt, withoutPath, type Origin, type Path, type Tree } from './tree.ts';
import { expandShorthands, salvage, validate } from './validate.ts';

/** Values from the command line, each of them valid by itself. They win over all else. */
export interface ConfigFlags {
  /** Replaces the host of `listen`. */
  readonly host?: string;
  /** Replaces the port of `listen`. */
  readonly port?: number;
  /** As the key `metrics`, in its short forms. */
  readonly metrics?: string;
  readonly data?: string;
  /** The flag `--url`: a Redis whose driver, address and database replace those of `store`; the other keys there hold. */
  readonly url?: string;
}

/** What holds where file, environment and flags say nothing; written as in a file. */
export interface ConfigDefaults {
  readonly listen?: string;
  readonly metrics?: string;
}

export interface ConfigFile {
  /** The file's name as errors show it. */
  readonly name: string;
  readonly text: string;
  /** Directory of the file: paths in it are relative to this. */
  readonly directory: string;
}

export interface ReadOptions {
  /** Absent: there is no file, and the listener stays on a loopback address by default. */
  readonly file?: ConfigFile;
  readonly environment: Environment;
  readonly flags?: ConfigFlags;
  readonly defaults?: ConfigDefaults;
  /** Relative paths from the environment, flags and defaults are relative to this. */
  readonly workingDirectory: string;
  /**
   * Reads a file that a `...File` key names, relative to `directory`. Throws with a message that goes on after the
   * file's name.
   */
  readonly readSecret: (file: string, directory: string) => string;
}

/** Without a file it is somebody trying it on their own machine; with one the schema's default holds. */
const listenWithoutFile = '127.0.0.1:8080';

/**
 * The configuration of one process: flags over environment over file over defaults. Pure but for `readSecret`.
 * Throws `ConfigError` with all that is wrong, not only the first.
 */
export function readConfig(options: ReadOptions): Config {
  const text = options.file === undefined ? undefined : parseYaml(options.file.text, options.file.name);
  const variables = readEnvironment(options.environment);
  // What the text states is not known, so that nothing else could be said about it.
  if (text !== undefined && text.problems.length > 0) throw new ConfigError([...text.problems, ...variables.problems]);

  const { workingDirectory, readSecret } = options;
  const file = followReferences(text?.tree ?? emptyMap({ kind: 'default' }), rootKey, {
    environment: options.environment,
    readSecret: (name) => readSecret(name, options.file?.directory ?? workingDirectory),
  });
  // What a variable holds is no template: a password in it may have any characters.
  const environment = followReferences(variables.tree, rootKey, {
    readSecret: (name) => readSecret(name, workingDirectory),
  });
  const fileTree = expandShorthands(file.tree);
  const { listen = text === undefined ? listenWithoutFile : undefined, metrics } = options.defaults ?? {};
  const stated = [layer({ listen, metrics }), fileTree, environment.tree]
    .map((each) => expandShorthands(each))
    .reduce(mergeTrees);
  const tree = withFlags(stated, options.flags ?? {});

  const checked = validate(tree);
  // A value of the file that another layer covers is checked as well: it would be the surprise of another day.
  const covered = validate(fileTree);
  const parsed = checked.parsed ?? salvage(tree, checked.problems);
  const completed = parsed && complete(parsed, completeOptions(options, tree, checked.problems));
  const between = completed?.problems.filter(
    (problem) => !checked.problems.some((known) => areRelated(known.path, problem.path)),
  );
  const unresolved = new Set([...file.problems, ...environment.problems].map((problem) => problem.origin));
  const problems = [
    ...file.problems,
    ...variables.problems,
    ...environment.problems,
    // The empty text that stands where a reference leads nowhere has been reported once.
    ...[...checked.problems, ...covered.problems, ...(between ?? [])].filter(
      (problem) => !unresolved.has(problem.origin),
    ),
  ];
  if (problems.length > 0 || completed === undefined) throw new ConfigError(problems);
  return completed.config;
}

function completeOptions(options: ReadOptions, tree: Tree, known: readonly ConfigProblem[]): CompleteOptions {
  const { host, port } = options.flags ?? {};
  return {
    tree,
    known,
    host,
    port,
    fileDirectory: options.file?.directory ?? options.workingDirectory,
    workingDirectory: options.workingDirectory,
  };
}

/** Where else the servers of a Redis may be stated. */
const otherServers: readonly Path[] = [
  ['store', 'sentinel'],
  ['store', 'cluster'],
];

function withFlags(stated: Tree, { metrics, data, url }: ConfigFlags): Tree {
  const flags = mergeTrees(
    layer({ metrics, data }, (key) => ({ kind: 'flag', name: `--${key}` })),
    url === undefined ? emptyMap({ kind: 'default' }) : storeAt(url),
  );
  const replaced = url === undefined ? [] : otherServers.filter((path) => nodeAt(stated, path) !== undefined);
  return mergeTrees(replaced.reduce(withoutPath, stated), expandShorthands(flags));
}

function storeAt(url: string): Tree {
  const origin = { kind: 'flag', name: '--url' } as const;
  const driver = treeAt(['store', 'driver'], { kind: 'scalar', value: 'redis', origin });
  return mergeTrees(driver, treeAt(['store', 'url'], { kind: 'scalar', value: url, origin }));
}

/** Single values of a layer that is not written in YAML. */
function layer(
  values: Readonly<Record<string, string | undefined>>,
  originOf: (key: string) => Origin = () => ({ kind: 'default' }),
): Tree {
  let tree: Tree = emptyMap({ kind: 'default' });
  for (const [key, text] of Object.entries(values)) {
    if (text === undefined) continue;
    const info = keyAt([key]);
    const value = info === undefined ? text : valueOfText(text, info);
    tree = mergeTrees(tree, treeAt([key], { kind: 'scalar', value, origin: originOf(key) }));
  }
  return tree;
}
