import { describe, expect, it } from 'vitest';
import { addTallies, lastLine, skippedTests, tallyOf, type VitestReport } from '../../scripts/test/tally.ts';

const report = (changes: Partial<VitestReport> = {}): VitestReport => ({
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [{ status: 'passed', assertionResults: [{ status: 'passed', fullName: 'works' }] }],
  ...changes,
});

describe('the count of a run', () => {
  const failedTest = { status: 'failed', assertionResults: [{ status: 'failed', fullName: 'fails' }] };
  const brokenFile = { status: 'failed', assertionResults: [] };

  it.each([
    ['all passed', report(), 0, { passed: 3, failed: 0, skipped: 0 }],
    [
      'a failed test',
      report({ numFailedTests: 1, testResults: [failedTest] }),
      1,
      { passed: 3, failed: 1, skipped: 0 },
    ],
    ['a file that cannot be loaded', report({ testResults: [brokenFile] }), 1, { passed: 3, failed: 1, skipped: 0 }],
    [
      'a file and a test',
      report({ numFailedTests: 1, testResults: [brokenFile, failedTest] }),
      1,
      { passed: 3, failed: 2, skipped: 0 },
    ],
    ['an error outside the tests', report(), 1, { passed: 3, failed: 1, skipped: 0 }],
    ['tests left out', report({ numPendingTests: 1, numTodoTests: 1 }), 0, { passed: 3, failed: 0, skipped: 2 }],
    ['no report', undefined, 1, { passed: 0, failed: 1, skipped: 0 }],
    ['no report in spite of success', undefined, 0, { passed: 0, failed: 1, skipped: 0 }],
  ])('%s', (_, given, exitCode, expected) => {
    expect(tallyOf(given, exitCode)).toEqual(expected);
  });

  it('names what was left out', () => {
    const test = (status: string) => ({ status, fullName: `is ${status}` });
    const assertionResults = ['passed', 'failed', 'skipped', 'todo'].map(test);
    expect(skippedTests(report({ testResults: [{ status: 'passed', assertionResults }] }))).toEqual([
      'is skipped',
      'is todo',
    ]);
  });

  it('is summed up in the last line', () => {
    const sum = addTallies([
      { passed: 1, failed: 0, skipped: 0 },
      { passed: 40, failed: 2, skipped: 1 },
    ]);
    expect(lastLine(sum)).toBe('41 passed, 2 failed');
  });
});
