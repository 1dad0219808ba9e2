import { basename } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { run } from './run.mjs';

/**
 * Runs npm in `root` and waits for it: the npm that started this script, else the one in PATH. Its warnings stay unseen
 * (they are about the `engines` of packages that the pinned Node.js meets); its errors are explained.
 *
 * @param {string} root
 * @param {readonly string[]} args
 * @param {object} [options]
 * @param {string} [options.node] runs npm with this Node.js instead of the running one
 * @param {(pid: number) => void} [options.onStart] receives npm's process id
 * @throws {SetupFailure}
 */
export async function npm(root, args, { node = process.execPath, onStart } = {}) {
  const script = process.env['npm_execpath'];
  const own = script !== undefined && basename(script) === 'npm-cli.js';
  const { status, output } = await run(own ? node : 'npm', [...(own ? [script] : []), ...args, '--loglevel=error'], {
    cwd: root,
    ...(onStart && { onStart }),
  });
  if (status !== '0') throw new SetupFailure(...explainNpm(`npm ${args[0]}`, output, status));
}

/**
 * Remedies for the npm error codes that a new machine can cause.
 *
 * @type {readonly (readonly [RegExp, string])[]}
 */
const remedies = [
  [
    /EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT/,
    'The package host cannot be reached: check the network, a proxy (HTTPS_PROXY) and `npm config get registry`.',
  ],
  [
    /SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|CERT_/,
    'TLS to the package host fails: a proxy with its own certificate needs NODE_EXTRA_CA_CERTS.',
  ],
  [
    /E404|ETARGET|E403|E401/,
    'The package host does not give that package: check `npm config get registry` and its login.',
  ],
  [/EINTEGRITY/, 'What was downloaded is not what package-lock.json names: run `npm cache verify`, then try again.'],
  [/ENOSPC/, 'The disk is full: node_modules takes about 500 MB.'],
  [/EACCES|EPERM|EROFS/, 'A file cannot be written: the checkout and the npm cache must belong to you.'],
  [/EUSAGE/, 'package.json and package-lock.json do not fit each other: run `npm install --ignore-scripts`.'],
  [/ENOENT|spawn npm/, 'npm itself or a file it needs is missing: check that `npm --version` works.'],
];

/**
 * Turns npm's output into a headline, npm's message and the remedy.
 *
 * @param {string} command
 * @param {string} output everything npm wrote
 * @param {string} status exit code, signal or the reason why npm did not start
 * @returns {string[]}
 */
function explainNpm(command, output, status) {
  const lines = output
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!) ?/, '').trimEnd())
    .filter((line) => line !== '' && !line.startsWith('A complete log of this run'));
  const text = `${output} ${status}`;
  const known = remedies.find(([pattern]) => pattern.test(text));
  const what = /(?:for|of|'|\/)((?:@[\w.-]+\/)?[\w.-]+)\/-\/([\w.-]+)\.tgz/.exec(output)?.[2];
  return [
    `${command} failed (${status})${what === undefined ? '' : ` at the package ${what}`}`,
    ...lines.slice(0, 12).map((line) => `  ${line}`),
    known?.[1] ?? 'Run `npm ci --ignore-scripts` by hand to see all of its output.',
  ];
}
