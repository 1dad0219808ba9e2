import type { Config } from '../config/index.ts';

interface WelcomeOptions {
  readonly config: Config;
  readonly configFile?: string;
  /** URL of the main listener, with its actual port. */
  readonly url: string;
  readonly metricsUrl?: string;
}

/** The message after the start of a server, with addresses and a first command. Ends with a newline. */
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
  return `Tonnage serves images at ${url} and counts each pull.\n\n${lines.join('')}\n`;
}

/** Replaces a wildcard address by a loopback one, which a client can connect to. */
function reachable(url: string): string {
  return url.replace(/^(https?:\/\/)(?:0\.0\.0\.0|\[::\])(?=[:/]|$)/, '$1127.0.0.1').replace(/\/$/, '');
}

/** An example command, with an image that a configured upstream probably has. */
function pullLine({ gateway, upstreams }: Config, host: string): string {
  if (gateway.defaultUpstream === 'docker.io') return `docker pull ${host}/library/alpine`;
  const name = gateway.defaultUpstream ?? upstreams[0]?.name;
  if (name === undefined) return 'nothing yet: no upstreams are configured';
  return `docker pull ${host}/${gateway.defaultUpstream === undefined ? `${name}/` : ''}NAME:TAG`;
}
