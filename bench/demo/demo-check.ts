/** What the demo claims in the end, each claim from what was found. */

import type { Check } from './demo-report.ts';
import type { Push } from './demo-push.ts';
import type { PackedLayer } from './layer-pack.ts';
import type { ReadBack } from './read-back.ts';
import { formatBytes } from '../../src/cli/progress/quantity-format.ts';

export interface DemoFindings {
  readonly layers: readonly PackedLayer[];
  readonly first: Push;
  readonly second: Push;
  /** Digests that `BatchCheckLayerAvailability` calls available. */
  readonly available: ReadonlySet<string>;
  readonly image: { readonly digest: string; readonly holds: boolean };
  readonly readBacks: readonly ReadBack[];
}

/** Whether a layer came back as it went: its size, its SHA-256 and every byte. */
export function isVerified(findings: DemoFindings, index: number): boolean {
  const layer = findings.layers[index];
  const receipt = findings.first.receipts[index];
  const found = findings.readBacks[index];
  if (layer === undefined || receipt === undefined || found === undefined) return false;
  return (
    found.equalToFile && found.digest === receipt.digest && found.sizeBytes === layer.sizeBytes
  );
}

export function checksOf(findings: DemoFindings): Check[] {
  const { layers, first, second, available, image, readBacks } = findings;
  const count = layers.length;
  const readBytes = readBacks.reduce((sum, found) => sum + found.sizeBytes, 0);
  const resent = second.receipts.reduce((sum, receipt) => sum + receipt.sentBytes, 0);
  const resentParts = second.receipts.reduce((sum, receipt) => sum + receipt.partCount, 0);
  return [
    {
      claim: `first push: ${count} of ${count} layers uploaded`,
      holds: first.receipts.every((receipt) => receipt.outcome === 'uploaded'),
    },
    {
      claim: `BatchCheckLayerAvailability knows all ${count} digests`,
      holds: first.receipts.every((receipt) => available.has(receipt.digest)),
    },
    {
      claim: `image put and got: ${image.digest.slice(0, 19)}…, the same manifest`,
      holds: image.holds,
    },
    {
      claim: `read back ${formatBytes(readBytes)}: sizes, SHA-256 and every byte equal the files`,
      holds: layers.every((_layer, index) => isVerified(findings, index)),
    },
    {
      claim: `second push: ${resentParts} parts and ${formatBytes(resent)} sent, all layers present`,
      holds:
        resent === 0 && second.receipts.every((receipt) => receipt.outcome === 'already-present'),
    },
  ];
}
