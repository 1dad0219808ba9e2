import { expect, test } from 'vitest';

import { OciError, ociErrors } from './errors.ts';

const specCodes = [
  'BLOB_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
];
const furtherCodes = ['RANGE_INVALID', 'UNAVAILABLE', 'UNKNOWN'];

test.each(Object.entries(ociErrors))('%s has a code that clients know, and the status of an error', (_kind, row) => {
  expect([...specCodes, ...furtherCodes]).toContain(row.code);
  expect(row.status).toBeGreaterThanOrEqual(400);
});

test('the body is the one of the distribution spec', () => {
  const error = new OciError('manifestUnknown', 'no manifest "x"');
  expect(error.status).toBe(404);
  expect(JSON.parse(error.body())).toEqual({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'no manifest "x"' }] });
});
