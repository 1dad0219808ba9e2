import { describe, expect, test } from 'vitest';
import { negotiate } from './negotiate.ts';

const openMetrics = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const text = 'text/plain; version=0.0.4; charset=utf-8';
const text1 = 'text/plain; version=1.0.0; charset=utf-8';
const protobuf = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

const prometheus3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,/;q=0.1';
const protobufFirst =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.1';

test.each([
  ['no header at all', undefined, text],
  ['an empty header', '', text],
  ['anything', '*/*', text],
  ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', text],
  ['no supported format', 'image/png', text],
  ['nothing acceptable', '*/*;q=0', text],
  ['OpenMetrics without a version', 'application/openmetrics-text', openMetrics],
  ['OpenMetrics 1.0.0', 'application/openmetrics-text; version=1.0.0; charset=utf-8', openMetrics],
  ['a quoted version, odd case and spaces', ' Application/OpenMetrics-Text ;  Version="1.0.0" ; Q=1 ', openMetrics],
  ['an unsupported OpenMetrics version', 'application/openmetrics-text;version=0.0.1,text/plain;q=0.1', text],
  ['Prometheus 3', prometheus3, `${openMetrics}; escaping=allow-utf-8`],
  ['Prometheus with native histograms', protobufFirst, protobuf],
  ['protobuf of another message', 'application/vnd.google.protobuf;proto=a.B;encoding=delimited', text],
  ['protobuf that is not delimited', 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily', text],
  [
    'quality takes precedence over order',
    'text/plain;version=0.0.4;q=0.2,application/openmetrics-text;q=0.7',
    openMetrics,
  ],
  ['equal quality: the first', 'text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0', text],
  ['equal quality: a wildcard comes last', '*/*,application/openmetrics-text', openMetrics],
  ['a type with quality 0 is not used', 'application/openmetrics-text;q=0,text/plain;q=0.1', text],
  ['an invalid quality', 'application/openmetrics-text;q=high', openMetrics],
  ['text 1.0.0 names its scheme', 'text/plain;version=1.0.0', `${text1}; escaping=underscores`],
  ['text 1.0.0 with dots', 'text/plain;version=1.0.0;escaping=dots', `${text1}; escaping=dots`],
  ['an unknown scheme', 'text/plain;version=1.0.0;escaping=rot13', `${text1}; escaping=underscores`],
  ['text 0.0.4 has no scheme', 'text/plain;version=0.0.4;escaping=allow-utf-8', text],
  ['stray commas and semicolons', ';;,,=;q=,application/openmetrics-text;;', openMetrics],
])('%s', (_, accept, contentType) => {
  expect(negotiate(accept).contentType).toBe(contentType);
});

test('OpenMetrics 2.0.0 is not offered by default', () => {
  const accept = 'application/openmetrics-text;version=2.0.0;q=0.9,application/openmetrics-text;version=1.0.0;q=0.8';
  expect(negotiate(accept).syntax).toBe('openmetrics-1.0.0');
  const offered = ['openmetrics-1.0.0', 'openmetrics-2.0.0'] as const;
  expect(negotiate(accept, offered).syntax).toBe('openmetrics-2.0.0');
  expect(negotiate('application/openmetrics-text', offered).syntax).toBe('openmetrics-1.0.0');
});

describe('if only OpenMetrics 1.0.0 and text 0.0.4 are offered', () => {
  const prometheus2 =
    'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

  test.each([
    ['Prometheus 2', prometheus2, 'openmetrics-1.0.0'],
    ['Prometheus 3', prometheus3, 'openmetrics-1.0.0'],
    ['Prometheus with native histograms', protobufFirst, 'openmetrics-1.0.0'],
    ['text by its quality', 'application/openmetrics-text;q=0.1,text/plain;q=0.9', 'text-0.0.4'],
    ['text 1.0.0 alone', 'text/plain;version=1.0.0', 'text-0.0.4'],
    ['protobuf alone', protobufFirst.split(',')[0], 'text-0.0.4'],
    ['a browser', 'text/html,*/*;q=0.8', 'text-0.0.4'],
    ['nothing at all', undefined, 'text-0.0.4'],
  ])('%s', (_, accept, syntax) => {
    expect(negotiate(accept, ['openmetrics-1.0.0', 'text-0.0.4']).syntax).toBe(syntax);
  });
});

test('a client can request every scheme', () => {
  for (const scheme of ['allow-utf-8', 'underscores', 'dots', 'values']) {
    const format = negotiate(`application/openmetrics-text;version=1.0.0;escaping=${scheme}`);
    expect(format).toMatchObject({ escaping: scheme, contentType: `${openMetrics}; escaping=${scheme}` });
  }
});
