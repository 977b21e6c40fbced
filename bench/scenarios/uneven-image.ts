/** An image of layers as uneven as real ones, over a link that they share. */

import { join } from 'node:path';
import { writeImageLayout } from '../harness/image-layout.ts';
import type { Rounds } from '../harness/interleaved-rounds.ts';
import { LayerFiles } from '../harness/layer-files.ts';
import type { LayerFile, Link } from '../harness/protocol.ts';
import { pushInTurn } from '../peers/push-rounds.ts';
import { MEGABYTE } from '../report/quantity.ts';
import type { ScenarioContext, Section } from '../scenario.ts';

const MIB: number = 2 ** 20;
/** What ECR asks for. */
const PART_SIZE_BYTES: number = 10 * MIB;

const LINK: Link = {
  roundTripMs: 20,
  bytesPerSecondPerConnection: 40 * MEGABYTE,
  bytesPerSecondTotal: 200 * MEGABYTE,
  partServiceTimeMs: 150,
};

export const UNEVEN_MIB: readonly number[] = [64, 32, 24, 16, 12, 8, 6, 4, 2, 1, 1, 1];
export const UNEVEN_FULL_MIB: readonly number[] = [
  1024, 512, 256, 192, 128, 96, 64, 32, 16, 8, 4, 1,
];

/** longshore and the peers in turn. */
export async function measureUnevenImage(
  layersMib: readonly number[],
  rounds: Rounds,
  context: ScenarioContext,
): Promise<Section> {
  await using files = new LayerFiles();
  const layers: LayerFile[] = [];
  // The largest one is in the middle: whoever wants it first has to look for it.
  const middle = Math.floor(layersMib.length / 2);
  for (const mib of [...layersMib.slice(middle), ...layersMib.slice(0, middle)]) {
    layers.push(await files.createRandom(mib * MIB));
  }
  const image = await writeImageLayout(join(files.folder, 'uneven'), layers);
  return await pushInTurn(
    { title: 'An uneven image', link: LINK, image, partSizeBytes: PART_SIZE_BYTES },
    rounds,
    context,
  );
}
