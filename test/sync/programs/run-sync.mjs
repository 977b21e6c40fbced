// Runs a sync in a process of its own, to be killed. Tells what happens, a line each.
import { runSync } from '../../../dist/src/sync/index.js';

const { config, options, environment } = JSON.parse(process.env.TASK);
Object.assign(process.env, environment);
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

tell({ type: 'ready' });
for await (const event of runSync(config, options)) {
  if (event.type !== 'sync-progress') tell(event);
}
