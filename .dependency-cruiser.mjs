/**
 * The layers of `src/`: which folder may import which, and how. Checked in `npm test`; test/rules/layers.test.ts plants a
 * breach of every rule and expects its report. Data flows one way, so a folder never imports one that comes after it here.
 */

/** Folders and what each may import. `app.ts`, the composition root, and `offline.ts` may import everything. */
const lower = {
  base: [],
  metric: ['base'],
  exposition: ['base', 'metric'],
  oci: ['base'],
  usage: ['base'],
  thread: ['base'],
  sqlite: ['base', 'thread'],
  identity: ['base', 'metric'],
  store: ['base', 'usage'],
  'ledger-file': ['base', 'usage', 'store', 'sqlite', 'thread'],
  'redis-link': ['base'],
  'redis-totals': ['base', 'usage', 'store', 'redis-link', 'thread'],
  care: ['base', 'usage', 'store'],
  ledger: ['base', 'usage', 'metric', 'store'],
  gateway: ['base', 'oci', 'usage', 'metric', 'sqlite', 'identity'],
  ingest: ['base', 'oci', 'usage'],
  collector: ['base', 'metric', 'sqlite'],
  config: ['base'],
};

/** @type {Readonly<Record<string, readonly string[]>>} */
const mayImport = {
  ...lower,
  http: Object.keys(lower),
  wiring: Object.keys(lower),
  cli: [...Object.keys(lower), 'http', 'app[.]ts', 'offline[.]ts'],
};

/** Imports of types only, because `app.ts` chooses the implementation. */
const typesOnly = [
  { from: 'ledger', to: 'store' },
  { from: 'gateway', to: 'identity' },
];

/** Folders without input and output: bytes and values in, bytes and values out. */
const pure = '^src/(base|metric|exposition|oci|usage|ingest)/';
const pureBuiltIns = '^(node:)?(buffer|crypto|util|url)$';

/** Tests, and what only tests use: the suites that every driver of a contract runs, and helpers. */
const tests = '^src/.*(([.]test|/conformance|[.]conformance|[.]testing)[.]ts$|/testing/)';
const drivers = '^src/.+/drivers/';
/** The configuration keys of a driver. `app.ts` passes them to `config`. `declared` has keys that several drivers share. */
const driverOptions = '^src/collector/(?:drivers/([^/]+)|declared)/options[.]ts$';
/** What the keys of several drivers need. */
const sharedByOptions = '^src/collector/(declared|postgres)/';

/** @type {import('dependency-cruiser').DependencyType[]} */
const fromNpm = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'];

/**
 * @param {string} name
 * @param {string} comment why, in words that the report shows
 * @param {import('dependency-cruiser').IRegularForbiddenRuleType['from']} from
 * @param {import('dependency-cruiser').IRegularForbiddenRuleType['to']} to
 * @returns {import('dependency-cruiser').IRegularForbiddenRuleType}
 */
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const layerRules = Object.entries(mayImport).map(([folder, others]) =>
  rule(
    `layer-${folder}`,
    others.length === 0 ? `${folder} imports no other folder` : `${folder} may import ${others.join(', ')}`,
    { path: `^src/${folder}/`, pathNot: [driverOptions, tests] },
    { path: '^src/', pathNot: [`^src/(${[folder, ...others].join('|')})(/|$)`, drivers] },
  ),
);

const typeRules = typesOnly.map(({ from, to }) =>
  rule(
    `types-${from}-${to}`,
    `${from} takes only types from ${to}`,
    { path: `^src/${from}/`, pathNot: tests },
    { path: `^src/${to}/`, dependencyTypesNot: ['type-only'] },
  ),
);

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    rule('no-cycle', 'no file needs itself, not even for a type', { path: '^src/' }, { circular: true }),
    rule(
      'pure-no-io',
      'a folder without input and output imports no built-in module that does any',
      { path: pure, pathNot: tests },
      { dependencyTypes: ['core'], pathNot: pureBuiltIns },
    ),
    rule(
      'pure-no-npm',
      'a folder without input and output imports no npm package',
      { path: pure, pathNot: tests },
      { dependencyTypes: fromNpm },
    ),
    rule(
      'index-only',
      "another folder is entered through its index.ts (tests may also take its drivers and its tests' helpers)",
      { path: '^src/([^/]+)/' },
      { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/[^/]+/index[.]ts$', drivers, tests] },
    ),
    rule(
      'app-index-only',
      'app.ts and offline.ts enter folders through their index.ts; only drivers are named one by one',
      { path: '^src/[^/]+[.]ts$' },
      { path: '^src/[^/]+/', pathNot: ['^src/[^/]+/index[.]ts$', drivers] },
    ),
    rule(
      'drivers-from-app',
      'only app.ts names a driver',
      { path: '^src/', pathNot: ['^src/app[.]ts$', drivers, tests] },
      { path: drivers },
    ),
    rule(
      'drivers-own-folder',
      "a driver imports no other folder's drivers",
      { path: '^src/(.+)/drivers/', pathNot: tests },
      { path: drivers, pathNot: '^src/$1/drivers/' },
    ),
    rule(
      'driver-options',
      "a driver's options.ts may import base, metric, config, what drivers share, and files of the driver",
      { path: driverOptions },
      { path: '^src/', pathNot: ['^src/(base|metric|config)/', sharedByOptions, '^src/collector/drivers/$1/'] },
    ),
    rule(
      'zod-at-the-edge',
      "schemas are for what comes from outside: config, http and a driver's options.ts",
      { path: '^src/', pathNot: ['^src/(config|http)/', driverOptions, tests] },
      { path: '(^|/)(zod|fastify-type-provider-zod)(/|$)' },
    ),
    rule(
      'not-to-tests',
      'what runs in production does not import tests or their helpers',
      { path: '^src/', pathNot: tests },
      { path: [tests, '^(test|bench|scripts|web)/'] },
    ),
    rule(
      'declared-packages',
      'what runs in production imports only packages that package.json names for production',
      { path: '^src/', pathNot: tests },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    ),
    rule(
      'known-folder',
      'a folder of src/ has its line in the table above',
      { path: '^src/[^/]+/', pathNot: `^src/(${Object.keys(mayImport).join('|')})/` },
      {},
    ),
    rule('resolvable', 'every import leads to a file', { path: '^src/' }, { couldNotResolve: true }),
    ...layerRules,
    ...typeRules,
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
