// An emulator in a process of its own, to be killed.
import { startEmulator } from '../../dist/src/emulator/index.js';

const emulator = await startEmulator({ dataDirectory: process.argv[2] });
process.send({ endpoint: emulator.endpoint });
