import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import rules from '../../.dependency-cruiser.mjs';
import { cruise, type Cruise, type Violation } from '../../scripts/layers/cruise.ts';
import { root } from '../../scripts/test/tools.ts';
import { withTree, type Files } from '../support/tree.ts';

/** A small tree that keeps every rule, and uses each exception that a rule makes. */
const sound: Files = {
  'package.json': '{"type":"module","dependencies":{"zod":"1","undici":"1"},"devDependencies":{"vitest":"1"}}',
  'tsconfig.json': '{"compilerOptions":{"module":"nodenext","allowImportingTsExtensions":true,"noEmit":true}}',
  'node_modules/zod/package.json': '{"name":"zod","version":"1.0.0","main":"index.js"}',
  'node_modules/zod/index.js': '',
  'node_modules/undici/package.json': '{"name":"undici","version":"1.0.0","main":"index.js"}',
  'node_modules/undici/index.js': '',
  'node_modules/vitest/package.json': '{"name":"vitest","version":"1.0.0","main":"index.js"}',
  'node_modules/vitest/index.js': '',
  'src/base/index.ts': `import { randomUUID } from 'node:crypto';\nexport const id = randomUUID;`,
  'src/metric/index.ts': `export { id } from '../base/index.ts';`,
  'src/exposition/index.ts': `export { id } from '../metric/index.ts';`,
  'src/oci/index.ts': `export { id } from '../base/index.ts';`,
  'src/usage/index.ts': `export { id } from '../base/index.ts';`,
  'src/thread/index.ts': `import 'node:worker_threads';\nexport { id } from '../base/index.ts';`,
  'src/sqlite/index.ts': `import 'node:sqlite';\nexport { id } from '../thread/index.ts';`,
  'src/identity/index.ts': `export interface Principal {}\nexport const check = 1;`,
  'src/store/index.ts': `export interface Journal {}\nexport { id } from '../usage/index.ts';`,
  'src/ledger-file/index.ts': `export { id } from '../sqlite/index.ts';`,
  'src/redis-link/index.ts': `import 'undici';\nexport { id } from '../base/index.ts';`,
  'src/redis-totals/index.ts': `export { id } from '../redis-link/index.ts';`,
  'src/care/index.ts': `export { id } from '../store/index.ts';`,
  'src/store/contract.ts': `export interface Totals {}`,
  'src/store/conformance.ts': `import 'vitest';`,
  'src/store/drivers/sqlite.ts': `import type { Totals } from '../contract.ts';\nexport const open = (): Totals => ({});`,
  'src/store/drivers/sqlite.test.ts': `import '../conformance.ts';\nimport './sqlite.ts';`,
  'src/ledger/index.ts': `import type { Journal } from '../store/index.ts';\nexport type { Journal };`,
  'src/ledger/ledger.test.ts': `import 'vitest';\nimport '../store/drivers/sqlite.ts';\nimport '../../test/support.ts';`,
  'src/gateway/index.ts': `import type { Principal } from '../identity/index.ts';\nimport 'undici';\nexport type { Principal };`,
  'src/gateway/cache/drivers/disk.ts': `import 'node:fs';`,
  'src/ingest/index.ts': `export { id } from '../oci/index.ts';`,
  'src/collector/index.ts': `export { id } from '../metric/index.ts';`,
  'src/collector/drivers/site.ts': `import { other } from './helper.ts';\nexport { other };`,
  'src/collector/drivers/helper.ts': `export const other = 1;`,
  'src/collector/drivers/farm.ts': `import { keys } from './farm/options.ts';\nexport { keys };`,
  'src/collector/drivers/farm/options.ts': `import 'zod';\nexport { config as keys } from '../../../config/index.ts';\nexport { families } from './families.ts';`,
  'src/collector/drivers/farm/families.ts': `export { id as families } from '../../../metric/index.ts';`,
  'src/config/index.ts': `import 'zod';\nexport const config = 1;`,
  'src/http/index.ts': `import 'zod';\nexport { config } from '../config/index.ts';\nexport { check } from '../identity/index.ts';`,
  'src/cli/index.ts': `import { config } from '../http/index.ts';\nexport const run = () => [import('../app.ts'), import('../offline.ts')];\nexport { config };`,
  'src/wiring/index.ts': `export { config } from '../config/index.ts';`,
  'src/app.ts': `export { config } from './http/index.ts';\nexport { config as wired } from './wiring/index.ts';\nexport const disk = () => import('./gateway/cache/drivers/disk.ts');\nexport { keys } from './collector/drivers/farm/options.ts';`,
  'src/offline.ts': `export { config } from './app.ts';`,
  'test/support.ts': 'export const support = 1;',
};

/** One breach of each rule: files that are added to the sound tree, and the file that must be named as the culprit. */
const breaches: readonly { rule: string; title: string; files: Files; culprit: string }[] = [
  {
    rule: 'no-cycle',
    title: 'two files that need each other',
    files: { 'src/base/one.ts': `import './two.ts';`, 'src/base/two.ts': `import './one.ts';` },
    culprit: 'src/base/one.ts',
  },
  {
    rule: 'no-cycle',
    title: 'two files that need each other for types only',
    files: {
      'src/oci/one.ts': `import type { Two } from './two.ts';\nexport interface One { two: Two }`,
      'src/oci/two.ts': `import { type One } from './one.ts';\nexport interface Two { one: One }`,
    },
    culprit: 'src/oci/one.ts',
  },
  ...['fs', 'net', 'http2', 'dns', 'dgram', 'child_process', 'worker_threads', 'sqlite', 'process'].map((name) => ({
    rule: 'pure-no-io',
    title: `a pure folder that imports node:${name}`,
    files: { [`src/usage/${name}.ts`]: `import 'node:${name}';` },
    culprit: `src/usage/${name}.ts`,
  })),
  ...['base', 'metric', 'exposition', 'oci', 'usage', 'ingest'].map((folder) => ({
    rule: 'pure-no-io',
    title: `${folder} reading a file`,
    files: { [`src/${folder}/read.ts`]: `import { readFile } from 'fs/promises';\nexport { readFile };` },
    culprit: `src/${folder}/read.ts`,
  })),
  {
    rule: 'pure-no-npm',
    title: 'a pure folder with a package',
    files: { 'src/oci/fetch.ts': `import 'undici';` },
    culprit: 'src/oci/fetch.ts',
  },
  {
    rule: 'index-only',
    title: 'a folder entered by a side door',
    files: { 'src/oci/digest.ts': '', 'src/gateway/blob.ts': `import '../oci/digest.ts';` },
    culprit: 'src/gateway/blob.ts',
  },
  {
    rule: 'index-only',
    title: 'a test that enters another folder by a side door',
    files: { 'src/oci/digest.ts': '', 'src/gateway/blob.test.ts': `import '../oci/digest.ts';` },
    culprit: 'src/gateway/blob.test.ts',
  },
  {
    rule: 'app-index-only',
    title: 'app.ts entering a folder by a side door',
    files: { 'src/http/listener.ts': '', 'src/app.ts': `import './http/listener.ts';` },
    culprit: 'src/app.ts',
  },
  {
    rule: 'drivers-from-app',
    title: 'a driver named outside of app.ts',
    files: { 'src/store/open.ts': `export const open = () => import('./drivers/sqlite.ts');` },
    culprit: 'src/store/open.ts',
  },
  {
    rule: 'drivers-from-app',
    title: 'a driver named in offline.ts',
    files: { 'src/offline.ts': `export const open = () => import('./store/drivers/sqlite.ts');` },
    culprit: 'src/offline.ts',
  },
  {
    rule: 'drivers-from-app',
    title: 'a nested driver named outside of app.ts',
    files: { 'src/http/blob.ts': `import '../gateway/cache/drivers/disk.ts';` },
    culprit: 'src/http/blob.ts',
  },
  {
    rule: 'drivers-own-folder',
    title: "a driver that uses another folder's driver",
    files: { 'src/collector/drivers/cheat.ts': `import '../../store/drivers/sqlite.ts';` },
    culprit: 'src/collector/drivers/cheat.ts',
  },
  {
    rule: 'driver-options',
    title: "a driver's options.ts that imports the collector",
    files: { 'src/collector/drivers/barn/options.ts': `import '../../index.ts';` },
    culprit: 'src/collector/drivers/barn/options.ts',
  },
  {
    rule: 'driver-options',
    title: "a driver's options.ts that imports another driver",
    files: { 'src/collector/drivers/barn/options.ts': `import '../farm/families.ts';` },
    culprit: 'src/collector/drivers/barn/options.ts',
  },
  {
    rule: 'layer-collector',
    title: 'a driver that imports the configuration outside of its options.ts',
    files: { 'src/collector/drivers/farm/rows.ts': `import '../../../config/index.ts';` },
    culprit: 'src/collector/drivers/farm/rows.ts',
  },
  {
    rule: 'zod-at-the-edge',
    title: 'zod in a driver outside of its options.ts',
    files: { 'src/collector/drivers/farm/shape.ts': `import 'zod';` },
    culprit: 'src/collector/drivers/farm/shape.ts',
  },
  {
    rule: 'zod-at-the-edge',
    title: 'zod in the gateway',
    files: { 'src/gateway/schema.ts': `import * as z from 'zod';\nexport { z };` },
    culprit: 'src/gateway/schema.ts',
  },
  ...['./conformance.ts', './a.test.ts', './testing/fake.ts', '../../test/support.ts'].map((path, index) => ({
    rule: 'not-to-tests',
    title: `production code that imports ${path}`,
    files: {
      'src/store/a.test.ts': '',
      'src/store/testing/fake.ts': '',
      [`src/store/prod-${index}.ts`]: `import '${path}';`,
    },
    culprit: `src/store/prod-${index}.ts`,
  })),
  {
    rule: 'declared-packages',
    title: 'production code that imports a package for development',
    files: { 'src/gateway/dev.ts': `import 'vitest';` },
    culprit: 'src/gateway/dev.ts',
  },
  {
    rule: 'known-folder',
    title: 'a folder that the table does not know',
    files: { 'src/misc/index.ts': `export { id } from '../base/index.ts';` },
    culprit: 'src/misc/index.ts',
  },
  {
    rule: 'resolvable',
    title: 'an import that leads nowhere',
    files: { 'src/http/lost.ts': `import './nowhere.ts';` },
    culprit: 'src/http/lost.ts',
  },
  {
    rule: 'types-ledger-store',
    title: 'the ledger taking more than types from the store',
    files: { 'src/ledger/value.ts': `import { id } from '../store/index.ts';\nexport const x = id;` },
    culprit: 'src/ledger/value.ts',
  },
  {
    rule: 'types-gateway-identity',
    title: 'the gateway taking more than types from identity',
    files: {
      'src/gateway/value.ts': `import { type Principal, check } from '../identity/index.ts';\nexport const x = check;\nexport type { Principal };`,
    },
    culprit: 'src/gateway/value.ts',
  },
  ...forbiddenPairs().map(([from, to]) => ({
    rule: `layer-${from}`,
    title: `${from} importing ${to}`,
    files: { [`src/${from}/to-${to}.ts`]: `import * as other from '../${to}/index.ts';\nexport { other };` },
    culprit: `src/${from}/to-${to}.ts`,
  })),
  {
    rule: 'layer-cli',
    title: 'cli importing a folder that the table does not know',
    files: { 'src/cli/to-misc.ts': `import * as other from '../misc/index.ts';\nexport { other };` },
    culprit: 'src/cli/to-misc.ts',
  },
  {
    rule: 'layer-http',
    title: 'http importing app.ts, even for a type',
    files: { 'src/http/to-app.ts': `import type { config } from '../app.ts';\nexport type X = typeof config;` },
    culprit: 'src/http/to-app.ts',
  },
];

/** The pairs of the design's layer table, written out a second time: the rules must agree with it. */
function forbiddenPairs(): [string, string][] {
  // `http` and `wiring` may import all of these.
  const lower =
    'base metric exposition oci usage thread sqlite identity store ledger-file redis-link redis-totals care ledger gateway ' +
    'ingest collector config';
  const mayImport: Record<string, string> = {
    base: '',
    metric: 'base',
    exposition: 'base metric',
    oci: 'base',
    usage: 'base',
    thread: 'base',
    sqlite: 'base thread',
    identity: 'base metric',
    store: 'base usage',
    'ledger-file': 'base usage store sqlite thread',
    'redis-link': 'base',
    'redis-totals': 'base usage store redis-link thread',
    care: 'base usage store',
    ledger: 'base usage metric store',
    gateway: 'base oci usage metric sqlite identity',
    ingest: 'base oci usage',
    collector: 'base metric sqlite',
    config: 'base',
    http: lower,
    wiring: lower,
  };
  const folders = [...Object.keys(mayImport), 'cli'];
  return Object.entries(mayImport).flatMap(([from, list]) =>
    folders.filter((to) => to !== from && !list.split(' ').includes(to)).map((to): [string, string] => [from, to]),
  );
}

/** Cruises a tree that holds these files with the project's own rules. */
function cruiseFiles(files: Files): Promise<Cruise> {
  return withTree(files, async (folder) => {
    copyFileSync(join(root, '.dependency-cruiser.mjs'), join(folder, '.dependency-cruiser.mjs'));
    return cruise(folder);
  });
}

describe('the layer rules', () => {
  it('find nothing in a sound tree, and see its imports', async () => {
    const { modules, summary } = await cruiseFiles(sound);
    expect(summary.violations).toEqual([]);
    const imports = Object.entries(sound)
      .filter(([path]) => path.startsWith('src/'))
      .map(([path, text]) => {
        return [path, new Set(text.match(/(?<=from |import |import\()'[^']+'/g)).size];
      });
    const seen = modules.map(({ source, dependencies }) => [source, dependencies.length]);
    expect(seen).toEqual(expect.arrayContaining(imports));
  });

  describe('report', () => {
    let violations: readonly Violation[] = [];
    beforeAll(async () => {
      const all = await cruiseFiles(Object.assign({}, sound, ...breaches.map(({ files }) => files)));
      violations = all.summary.violations;
    });

    it.each(breaches)('$title ($rule)', ({ rule, culprit }) => {
      const hits = violations.filter((violation) => violation.rule.name === rule);
      expect(hits.map(({ from }) => from)).toContain(culprit);
    });
  });

  it('each have a breach planted here', () => {
    const planted = new Set(breaches.map(({ rule }) => rule));
    expect(rules.forbidden?.map(({ name }) => name).filter((name) => !planted.has(name ?? ''))).toEqual([]);
  });

  it('are kept by the tree as it is', async () => {
    expect((await cruise(root)).summary.violations).toEqual([]);
  });
});
