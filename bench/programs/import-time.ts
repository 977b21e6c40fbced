/** What it takes to load longshore into a process that has nothing of it: time and modules. */

import { Session } from 'node:inspector';
import { listen, say } from './conversation.ts';

/** What is loaded, and whether its modules are counted: counting takes time of its own. */
interface ImportJob {
  readonly name: string;
  readonly counts: boolean;
}

listen((value) => {
  measureImport(value as ImportJob)
    .then(say)
    .catch((error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    })
    .finally(() => process.stdin.unref());
});

async function measureImport({ name, counts }: ImportJob): Promise<unknown> {
  const scripts = { count: 0, sizeBytes: 0 };
  const session = new Session();
  if (counts) {
    session.connect();
    session.post('Debugger.enable');
    // Scripts that were there before are told at once, the rest as they are loaded.
    session.on('Debugger.scriptParsed', ({ params: { url, length = 0 } }) => {
      if (!url.startsWith('file:') && !url.startsWith('/')) return;
      scripts.count += 1;
      scripts.sizeBytes += length;
    });
  }
  const startedAt = performance.now();
  await import(name);
  const importMs = performance.now() - startedAt;
  if (counts) session.disconnect();
  return { importMs, scripts };
}
