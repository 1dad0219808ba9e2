import type { Config } from '../config/index.ts';

export interface WelcomeOptions {
  readonly config: Config;
  readonly configFile?: string;
  /** URL of the main listener, with the port that it really has. */
  readonly url: string;
  readonly metricsUrl?: string;
}

/** What a server says to the person who has started it: what to do next, and where to look. Ends with a newline. */
export function welcome(options: WelcomeOptions): string {
  const { config, configFile, metricsUrl } = options;
  const url = reachable(options.url);
  const rows: [string, string][] = [
    ['pull', pullLine(config, new URL(url).host)],
    ['dashboard', `${url}/`],
    ['metrics', metricsUrl === undefined ? 'off; --metrics 2112 turns them on' : reachable(metricsUrl)],
    ['data', config.data],
    ['config', configFile ?? 'none; docs/reference/configuration.md has every key'],
  ];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(9)} ${value}\n`);
  return `Tonnage serves images at ${url} and counts who pulls them.\n\n${lines.join('')}\n`;
}

/** An address that stands for all of a machine's is no place to go to. */
function reachable(url: string): string {
  return url.replace(/^(https?:\/\/)(?:0\.0\.0\.0|\[::\])(?=[:/]|$)/, '$1127.0.0.1').replace(/\/$/, '');
}

/** A line to try, with an image that the configured upstreams are likely to have. */
function pullLine({ gateway, upstreams }: Config, host: string): string {
  if (gateway.defaultUpstream === 'docker.io') return `docker pull ${host}/library/alpine`;
  const name = gateway.defaultUpstream ?? upstreams[0]?.name;
  if (name === undefined) return 'nothing yet: no upstreams are configured';
  return `docker pull ${host}/${gateway.defaultUpstream === undefined ? `${name}/` : ''}NAME:TAG`;
}
