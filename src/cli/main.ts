#!/usr/bin/env node
import { processContext } from './process-context.ts';
import { runProgram } from './program.ts';

// Not `process.exit`: what is written to a pipe must get there, and a handle that is left is a bug.
process.exitCode = await runProgram(processContext(), process.argv.slice(2));
