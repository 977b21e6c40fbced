// An emulator that keeps everything in a folder, in a process of its own, to be killed.
import { startEmulator } from '../../../dist/src/emulator/index.js';

const emulator = await startEmulator(JSON.parse(process.env.TASK));
process.stdout.write(`${JSON.stringify({ type: 'ready', endpoint: emulator.endpoint })}\n`);
