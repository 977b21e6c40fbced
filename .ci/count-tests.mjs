// Prints `<passed> passed, <failed> failed` from Vitest's JSON report. A file that failed as a whole,
// or a run that failed outside of any test, counts as one failure: it must not look like success.
import { readFileSync } from 'node:fs';

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, testResults: [], success: false };
  }
}

const report = readReport(process.argv[2]);
const brokenFileCount = report.testResults.filter(
  ({ status, assertionResults }) =>
    status === 'failed' && !assertionResults.some((result) => result.status === 'failed'),
).length;
const failedCount = report.numFailedTests + brokenFileCount;
const failedAtLeast = report.success ? failedCount : Math.max(1, failedCount);
process.stdout.write(`${report.numPassedTests} passed, ${failedAtLeast} failed\n`);
