import { afterAll } from 'vitest';

// A warning or an unhandled rejection is a defect of ours, so each test file fails on one.
// The single exception is the AWS SDK's own notice that it will drop Node 20 one day.
const seen: string[] = [];

process.on('warning', (warning) => {
  if (warning.name === 'NodeVersionSupportWarning') return;
  if (/NodeDeprecationWarning|NodeVersionSupportWarning/.test(String(warning.stack))) return;
  seen.push(String(warning.stack ?? warning));
});
process.on('unhandledRejection', (reason) => {
  seen.push(`unhandled rejection: ${String(reason instanceof Error ? reason.stack : reason)}`);
});

afterAll(async () => {
  // Warnings are emitted on the next tick: let those that are due arrive.
  await new Promise((resolve) => setImmediate(resolve));
  if (seen.length > 0) throw new Error(`process warnings during this file:\n${seen.join('\n')}`);
});
