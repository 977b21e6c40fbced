import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../src/index.ts';
import { layerBytes } from '../uploader/layer-bytes.ts';
import { startRig } from '../uploader/upload-rig.ts';

/** Linux only: nice values are those of threads there (proc(5): field 19 of stat). */
describe.runIf(process.platform === 'linux')("the embedding program's thread", () => {
  test('goes before the workers, which are nicer than it by five', async () => {
    const before = niceValues();
    await using rig = await startRig({ uploader: { workersMax: 2 } });
    await rig.upload(bytesSource(layerBytes(1000)));
    const after = niceValues();
    const own = after.get(process.pid) ?? Number.NaN;
    expect(own).toBe(before.get(process.pid));
    const started = [...after].filter(([thread]) => !before.has(thread));
    expect(started.filter(([, nice]) => nice === own + 5)).toHaveLength(2);
  });
});

/** Of this process's threads, by thread id. */
function niceValues(): Map<number, number> {
  return new Map(
    readdirSync('/proc/self/task').map((thread) => {
      const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
      // The name in parentheses may hold spaces.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return [Number(thread), Number(fields[16])];
    }),
  );
}
