import { afterAll } from 'vitest';

// A process warning is a defect of ours, so each test file fails on one. Unhandled rejections and
// uncaught exceptions fail the run by Vitest's own means; a listener of ours would silence those.
// The single exception is the AWS SDK's own notice that it will drop Node 20 one day.
const seen: string[] = [];
let isOver = false;

process.on('warning', (warning) => {
  if (/NodeDeprecationWarning|NodeVersionSupportWarning/.test(String(warning.stack))) return;
  // Too late for the file's own result: let it count as an uncaught exception.
  if (isOver) throw warning;
  seen.push(String(warning.stack ?? warning));
});

afterAll(async () => {
  // Warnings are emitted on the next tick: let those that are due arrive.
  await new Promise((resolve) => setImmediate(resolve));
  isOver = true;
  if (seen.length > 0) throw new Error(`process warnings during this file:\n${seen.join('\n')}`);
});
