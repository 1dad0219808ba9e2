import { resolve } from 'node:path';
import { Findings } from './findings.ts';
import { completeGatewayOf } from './gateway.ts';
import { checkIdentity, hasLogins } from './identity.ts';
import { completeMetricsOf } from './listeners.ts';
import type { ConfigProblem } from './problems.ts';
import type { Config, Parsed } from './schema.ts';
import type { SourceDrivers } from './source-driver.ts';
import { completeSourcesOf } from './sources.ts';
import { completeStoreOf } from './store.ts';
import { originAt, type Tree } from './tree.ts';
import { completeUpstreamsOf } from './upstreams.ts';
import { checkUsage } from './usage.ts';

interface CompleteOptions {
  /** All layers merged. It tells the origin of each value of `parsed`. */
  readonly tree: Tree;
  /** Problems of single values, which `parsed` does not contain. */
  readonly known: readonly ConfigProblem[];
  /** Override the host and the port of `listen`. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Directory that a relative `data` of the configuration file is relative to. */
  readonly fileDirectory: string;
  /** Directory that a relative `data` of any other layer is relative to. */
  readonly workingDirectory: string;
  readonly drivers: SourceDrivers;
}

/** Checks keys against each other, and fills in the defaults that depend on other keys. */
export function complete(
  parsed: Parsed,
  options: CompleteOptions,
): { config: Config; problems: readonly ConfigProblem[] } {
  const findings = new Findings(options.tree, options.known);
  const listen = {
    ...parsed.listen,
    ...(options.host !== undefined && { host: options.host }),
    ...(options.port !== undefined && { port: options.port }),
  };
  const isInFile = originAt(options.tree, ['data']).kind === 'file';
  const upstreams = completeUpstreamsOf(parsed.upstreams, findings);
  checkUsage(parsed.usage, parsed.store.driver, findings);
  checkIdentity(parsed.identity, findings);
  const config = freezeDeep({
    ...parsed,
    listen,
    metrics: completeMetricsOf(parsed.metrics, listen, findings),
    data: resolve(isInFile ? options.fileDirectory : options.workingDirectory, parsed.data),
    upstreams,
    gateway: completeGatewayOf(parsed.gateway, upstreams, hasLogins(parsed.identity, findings), findings),
    store: completeStoreOf(parsed.store, findings),
    sources: completeSourcesOf(parsed.sources, options.drivers, findings),
  });
  return { config, problems: findings.problems };
}

function freezeDeep<T extends object>(value: T): T {
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null) freezeDeep(child);
  }
  return Object.freeze(value);
}
