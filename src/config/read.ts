import { complete } from './complete.ts';
import { readEnvironment, type Environment } from './environment.ts';
import { valueOfText, type ConfigKeys } from './keys.ts';
import { parseYaml } from './parse-yaml.ts';
import { areRelated, ConfigError } from './problems.ts';
import { followReferences } from './references.ts';
import type { Config, ConfigModel } from './schema.ts';
import { emptyMap, mergeTrees, nodeAt, treeAt, withoutPath, type Origin, type Path, type Tree } from './tree.ts';
import { expandShorthands, salvage, validate } from './validate.ts';

/** Values from the command line. They override all other layers. */
export interface ConfigFlags {
  /** Replaces the host of `listen`. */
  readonly host?: string;
  /** Replaces the port of `listen`. */
  readonly port?: number;
  /** The key `metrics` in its short form. */
  readonly metrics?: string;
  readonly data?: string;
  /** The flag `--url`: a Redis. It replaces the driver and the servers of `store`, but none of its other keys. */
  readonly url?: string;
}

/** Values for keys that the file, the environment and the flags do not state. */
export interface ConfigDefaults {
  readonly listen?: string;
  readonly metrics?: string;
}

export interface ConfigFile {
  /** Name of the file in errors. */
  readonly name: string;
  readonly text: string;
  /** Directory of the file. Paths in the file are relative to it. */
  readonly directory: string;
}

export interface ReadOptions {
  /** Absent: there is no file, and the default of `listen` is a loopback address. */
  readonly file?: ConfigFile;
  readonly environment: Environment;
  readonly flags?: ConfigFlags;
  readonly defaults?: ConfigDefaults;
  /** Paths in the environment, in flags and in defaults are relative to this directory. */
  readonly workingDirectory: string;
  /**
   * Reads the file of a `...File` key, whose path is relative to `directory`. Throws an error whose message continues a
   * sentence that begins with the file's name.
   */
  readonly readSecret: (file: string, directory: string) => string;
}

/** A server without a file is most likely a trial on the user's own machine. */
const listenWithoutFile = '127.0.0.1:8080';

/**
 * The configuration of one process. Flags override environment variables, which override the file, which overrides the
 * defaults. Only `readSecret` does I/O. Throws `ConfigError` with all problems, not only the first.
 */
export function readConfig(options: ReadOptions, model: ConfigModel): Config {
  const { keys } = model;
  const text = options.file === undefined ? undefined : parseYaml(options.file.text, options.file.name);
  const variables = readEnvironment(options.environment, keys);
  // An unreadable text states nothing that other checks could look at.
  if (text !== undefined && text.problems.length > 0) throw new ConfigError([...text.problems, ...variables.problems]);

  const { workingDirectory, readSecret } = options;
  const fileDirectory = options.file?.directory ?? workingDirectory;
  const file = followReferences(text?.tree ?? emptyMap({ kind: 'default' }), keys.root, {
    environment: options.environment,
    readSecret,
    directory: fileDirectory,
  });
  // The value of a variable is not a template, because a password may contain any character.
  const environment = followReferences(variables.tree, keys.root, { readSecret, directory: workingDirectory });
  const fileTree = expandShorthands(file.tree, keys.root);
  const { listen = text === undefined ? listenWithoutFile : undefined, metrics } = options.defaults ?? {};
  const stated = [layer({ listen, metrics }, keys), fileTree, environment.tree]
    .map((each) => expandShorthands(each, keys.root))
    .reduce(mergeTrees);
  const tree = withFlags(stated, options.flags ?? {}, keys);

  const checked = validate(tree, model);
  // Check values of the file even if another layer overrides them: that layer may be gone at the next start.
  const covered = validate(fileTree, model);
  const parsed = checked.parsed ?? salvage(tree, checked.problems, model);
  const { host, port } = options.flags ?? {};
  const known = checked.problems;
  const completed =
    parsed && complete(parsed, { tree, known, host, port, fileDirectory, workingDirectory, drivers: model.drivers });
  const between = completed?.problems.filter((problem) => !known.some(({ path }) => areRelated(path, problem.path)));
  const unresolved = new Set([...file.problems, ...environment.problems].map((problem) => problem.origin));
  const problems = [
    ...file.problems,
    ...variables.problems,
    ...environment.problems,
    // A broken reference is an empty text, which is invalid too, but its error is already there.
    ...[...checked.problems, ...covered.problems, ...(between ?? [])].filter(
      (problem) => !unresolved.has(problem.origin),
    ),
  ];
  if (problems.length > 0 || completed === undefined) throw new ConfigError(problems);
  return completed.config;
}

/** Other keys that state the servers of a Redis. */
const otherServers: readonly Path[] = [
  ['store', 'sentinel'],
  ['store', 'cluster'],
];

function withFlags(stated: Tree, { metrics, data, url }: ConfigFlags, keys: ConfigKeys): Tree {
  const flags = mergeTrees(
    layer({ metrics, data }, keys, (key) => ({ kind: 'flag', name: `--${key}` })),
    url === undefined ? emptyMap({ kind: 'default' }) : storeAt(url),
  );
  const replaced = url === undefined ? [] : otherServers.filter((path) => nodeAt(stated, path) !== undefined);
  return mergeTrees(replaced.reduce(withoutPath, stated), expandShorthands(flags, keys.root));
}

function storeAt(url: string): Tree {
  const origin = { kind: 'flag', name: '--url' } as const;
  const driver = treeAt(['store', 'driver'], { kind: 'scalar', value: 'redis', origin });
  return mergeTrees(driver, treeAt(['store', 'url'], { kind: 'scalar', value: url, origin }));
}

/** A layer of single values from outside YAML. */
function layer(
  values: Readonly<Record<string, string | undefined>>,
  keys: ConfigKeys,
  originOf: (key: string) => Origin = () => ({ kind: 'default' }),
): Tree {
  let tree: Tree = emptyMap({ kind: 'default' });
  for (const [key, text] of Object.entries(values)) {
    if (text === undefined) continue;
    const info = keys.at([key]);
    const value = info === undefined ? text : valueOfText(text, info);
    tree = mergeTrees(tree, treeAt([key], { kind: 'scalar', value, origin: originOf(key) }));
  }
  return tree;
}
