import { limits } from '../../../base/index.ts';
import { fields, sourceDriver, type KeysOf, type PartFindings, type SourceConfig } from '../../../config/index.ts';
import { MetricsCheck } from '../../declared/check-metrics.ts';
import { familiesOf } from '../../declared/metric.ts';
import { labelName, metricKeys, reportMetrics } from '../../declared/options.ts';
import { parsePath, parseSingularPath, pathForm } from './path.ts';
import { z } from 'zod';

const urlForm = 'an http or https URL without user and password';

function parseUrl(stated: string): string | undefined {
  const url = /^https?:\/\/[^\s#]+$/.test(stated) ? URL.parse(stated) : null;
  return url === null || url.username !== '' || url.password !== '' ? undefined : stated;
}

const parseFile = (stated: string) => (/^\/[^\0]+$/.test(stated) ? stated : undefined);

const headerName = fields.text('the name of a header, other than those of the connection', (stated) => {
  const isOfConnection = /^(host|connection|content-.*|transfer-encoding|te|upgrade|expect|accept-encoding)$/i;
  return /^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/.test(stated) && !isOfConnection.test(stated) ? stated : undefined;
});

const parseHeader = (stated: string) => (/^[\x20-\x7e]+$/.test(stated) ? stated : undefined);

const singular = () => fields.text(`${pathForm}, which selects at most one node`, parseSingularPath);

const metric = fields.map(
  metricKeys(singular, 'path', {
    nodes: fields
      .text(pathForm, parsePath)
      .prefault('$')
      .describe('Path of the nodes. Each gives one series. The other paths begin at the node. Default: the document.'),
    keyLabel: labelName
      .exactOptional()
      .describe('Label with the name or the index of the node in what contains it. Default: none.'),
  }),
);

const auth = fields
  .map({
    basic: fields
      .map({
        username: fields
          .text('a user name without ":"', (name) => (/^[^:\p{Cc}]+$/u.test(name) ? name : undefined))
          .describe('User name.'),
        password: fields.secret('a password', fields.parseNonEmpty).describe('Password of this user.'),
      })
      .exactOptional()
      .describe('HTTP Basic credentials. State password or passwordFile. Default: none.'),
    bearer: fields
      .secret('a token', parseHeader)
      .exactOptional()
      .describe('Token for the scheme Bearer. Default: none.'),
  })
  .exactOptional()
  .describe('Credentials. State basic or bearer. Default: none.');

const tls = fields
  .map({
    ca: fields
      .secret('certificates in PEM', (pem) => (pem.includes('-----BEGIN CERTIFICATE-----') ? pem : undefined))
      .exactOptional()
      .describe('Certificates of trusted authorities, in PEM. Default: those of Node.js.'),
    insecureSkipVerify: z
      .boolean()
      .prefault(false)
      .describe('Accepts any certificate. The log warns of it, because anyone on the way can then change the figures.'),
  })
  .exactOptional()
  .describe('How the certificate of the server is checked.');

const keys = {
  url: fields.text(urlForm, parseUrl).exactOptional().describe('URL of the document. State url or file.'),
  file: fields
    .text('the absolute path of a file', parseFile)
    .exactOptional()
    .describe('File with the document. State url or file.'),
  headers: z
    .record(headerName, fields.secret('the value of a header', parseHeader))
    .prefault({})
    .describe('Headers of the request, by name. They are secrets.'),
  auth,
  tls,
  bodyMax: fields.size(1).prefault('1MiB').describe('Largest document. A larger one fails the read. At most 16MiB.'),
  nodesMax: fields
    .whole(1, limits.sourceRowsMax, 'nodes')
    .prefault(limits.sourceRowsDefault)
    .describe('How many nodes a metric may have. With more, the read fails.'),
  timestamp: singular()
    .exactOptional()
    .describe(
      'Path of the time of the data, in Unix seconds. Default: unknown for a URL, the time of the last write for a file.',
    ),
  metrics: fields.list(metric, 'metric').describe('Metrics that the document gives.'),
};

/** The keys of a source of the driver `http-json`. */
export type HttpJsonOptions = KeysOf<typeof keys>;
export type HttpJsonMetric = HttpJsonOptions['metrics'][number];

type Source = SourceConfig & HttpJsonOptions;

function complete(source: Source, findings: PartFindings): Source {
  const { url, file, metrics, bodyMax, headers, auth: credentials, tls: certificates } = source;
  if (url === undefined && file === undefined && !findings.isStated(['url']) && !findings.isStated(['file'])) {
    findings.report([], 'expected url or file, but both are missing');
  }
  if (url !== undefined && file !== undefined) findings.report(['file'], 'expected url or file, but came both');
  if (file !== undefined && url === undefined) {
    const unused = {
      headers: Object.keys(headers).length > 0,
      auth: credentials !== undefined,
      tls: certificates !== undefined,
    };
    for (const [key, isStated] of Object.entries(unused)) {
      if (isStated) findings.report([key], `expected no ${key}, because a file needs none`);
    }
  }
  reportAuth(source, findings);
  if (url?.startsWith('http:') === true && findings.isStated(['tls'])) {
    findings.report(['tls'], 'expected an https URL, because only TLS has certificates');
  }
  if (bodyMax > limits.sourceBodyBytesMax) {
    findings.report(['bodyMax'], `expected at most 16MiB, but came ${findings.shown(['bodyMax'], String(bodyMax))}`);
  }
  reportMetrics(metrics.map(withKeyLabel), ['metrics'], new MetricsCheck(), findings);
  return source;
}

function reportAuth({ auth: stated, headers }: Source, findings: PartFindings): void {
  if (stated === undefined) return;
  const count = Number(stated.basic !== undefined) + Number(stated.bearer !== undefined);
  if (count !== 1) findings.report(['auth'], `expected basic or bearer, but came ${count === 0 ? 'none' : 'both'}`);
  const header = Object.keys(headers).find((name) => name.toLowerCase() === 'authorization');
  if (header !== undefined) findings.report(['headers', header], 'expected no such header, because auth is stated');
}

/** The metric with the label of the key among its labels, for checks of labels. */
function withKeyLabel(metric: HttpJsonMetric): HttpJsonMetric {
  const { keyLabel, labels } = metric;
  return keyLabel === undefined ? metric : { ...metric, labels: { [keyLabel]: '$', ...labels } };
}

export const httpJsonOptions = sourceDriver({
  keys,
  interval: '1m',
  families: ({ metrics }) => familiesOf(metrics.map(withKeyLabel)),
  complete,
});
