import { expect, test } from 'vitest';
import { rejectedFieldLabel } from './rejected-field.ts';

test.each([
  ['pulls/d/2026-11-30', 'pulls/d/2026-11-30'],
  ['pulls/a/amd64', 'pulls/a/amd64'],
  ['pulls/o/a.example/a/amd64', 'pulls/o/*/a/amd64'],
  ['pulls/o/a.example', 'pulls/o/*'],
  ['["a.example","amd64","docker.io","private/app"]', 'cell'],
  ['', 'none'],
])('the field %j is labelled %j', (field, label) => {
  expect(rejectedFieldLabel(field)).toBe(label);
});
