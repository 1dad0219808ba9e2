import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { run } from './run.mjs';
import { withoutServices } from './services.mjs';

/**
 * The servers and clients that the tests talk to: Debian's package, how to detect it (a command in PATH, or
 * a Python module), and its purpose. On another system, any package with the same commands will do.
 */
export const systemPackages = [
  {
    name: 'docker-registry',
    command: 'docker-registry',
    use: 'an upstream that other people wrote, for pull-through tests',
  },
  { name: 'skopeo', command: 'skopeo', use: 'a client that pulls whole images through the gateway' },
  { name: 'buildah', command: 'buildah', use: 'a client that builds, and pulls what it builds on' },
  { name: 'podman', command: 'podman', use: 'a client that logs in once and pulls later' },
  { name: 'containerd', command: 'ctr', use: 'a client that sends credentials only with the request that was refused' },
  { name: 'prometheus', command: 'promtool', use: 'reads and checks our expositions, rules and configuration' },
  { name: 'python3-prometheus-client', module: 'prometheus_client', use: 'the reference parser of OpenMetrics' },
  { name: 'nginx-light', command: 'nginx', use: 'a reverse proxy in front of the gateway' },
  { name: 'redis-server', command: 'redis-server', use: 'Redis, Sentinel and Cluster under the Redis store' },
  { name: 'postgresql', command: 'postgres', use: 'a database that the drivers debusine and sql read' },
  { name: 'mariadb-server', command: 'mariadbd', use: 'a database that the driver sql reads' },
  { name: 'wrk', command: 'wrk', use: 'load for tests that count under load' },
];

/** @typedef {{ readonly name: string, readonly command?: string, readonly module?: string, readonly use: string }} SystemPackage */

/**
 * Installs the missing ones of `packages` where it can: as root on Debian, Ubuntu and similar systems.
 *
 * @param {(line: string) => void} say
 * @param {readonly SystemPackage[]} [packages] default: those of the tests
 * @throws {SetupFailure} naming each missing package and the command that installs it, where it cannot
 */
export async function installSystemPackages(say, packages = systemPackages) {
  const missing = packages.filter((entry) => !isThere(entry));
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  if (!isDebian() || process.getuid?.() !== 0) throw new SetupFailure(...instructions(missing));
  say(`installing Debian packages: ${names.join(', ')}`);
  await withoutServices(() => aptInstall(names));
  const still = missing.filter((entry) => !isThere(entry));
  if (still.length > 0) throw new SetupFailure(...instructions(still));
}

/** @param {readonly { readonly name: string, readonly use: string }[]} missing */
function instructions(missing) {
  const names = missing.map(({ name }) => name).join(' ');
  return [
    `programs that are needed are missing here: ${names}`,
    ...missing.map(({ name, use }) => `  ${name}: ${use}`),
    isDebian()
      ? `Install them as root: apt-get update && apt-get install --no-install-recommends ${names}`
      : 'Install the same programs with the package manager of this system (the names above are Debian’s).',
  ];
}

/**
 * All files of that name in PATH and in the folders of servers, which are not in every user's PATH. All, because a Python of
 * a version manager often comes before the system's own, and only the latter has Debian's modules.
 *
 * @param {string} command
 */
export function findAll(command) {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/sbin', '/usr/local/sbin'];
  folders.push(...releaseFolders('/usr/lib/postgresql'));
  return [...new Set(folders)].map((folder) => join(folder, command)).filter((path) => existsSync(path));
}

/**
 * The folders of programs below `parent`, which has a folder for each release (Debian's `/usr/lib/postgresql/15/bin`): the newest
 * release first.
 *
 * @param {string} parent
 */
export function releaseFolders(parent) {
  if (!existsSync(parent)) return [];
  const releases = readdirSync(parent).filter((name) => /^\d/.test(name));
  return releases.sort((a, b) => Number(b) - Number(a)).map((release) => join(parent, release, 'bin'));
}

/** @param {{ readonly command?: string, readonly module?: string }} entry */
function isThere({ command, module }) {
  if (command !== undefined) return findAll(command).length > 0;
  return findAll('python3').some((python) => {
    return spawnSync(python, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0;
  });
}

function isDebian() {
  if (!existsSync('/etc/os-release')) return false;
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
}

/**
 * Fetches the package lists if there are none, or if they are so old that their files are gone.
 *
 * @param {readonly string[]} names
 */
async function aptInstall(names) {
  const lists = '/var/lib/apt/lists';
  const haveLists = existsSync(lists) && readdirSync(lists).some((name) => name.includes('_Packages'));
  const install = ['install', '-y', '--no-install-recommends', ...names];
  if (haveLists && (await apt(install)).status === '0') return;
  const update = await apt(['update']);
  const second = update.status === '0' ? await apt(install) : update;
  if (second.status !== '0') {
    throw new SetupFailure(
      `apt-get could not install ${names.join(', ')}`,
      ...second.output
        .trim()
        .split('\n')
        .slice(-8)
        .map((line) => `  ${line}`),
      'Check the network and /etc/apt/sources.list, then run the same command again.',
    );
  }
}

/** @param {readonly string[]} args */
function apt(args) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  return run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=600', ...args], { env });
}
