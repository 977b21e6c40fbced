/** What the demo prints about layers, in words and in a table. */

import { formatBytes, formatDuration, formatRate } from '../../src/cli/progress/quantity-format.ts';
import type { Style } from '../../src/cli/progress/style.ts';
import { fitEnd } from '../../src/cli/progress/text-fit.ts';
import type { Push } from './demo-push.ts';
import type { StoredLayer } from './image-layout.ts';
import type { PackedLayer } from './layer-pack.ts';
import { type Column, formatTable } from './text-table.ts';

/** A claim, and whether it held. */
export interface Check {
  readonly claim: string;
  readonly holds: boolean;
}

const NAME_COLUMNS = 22;
const ORIGIN_COLUMNS = 32;

/** `  node-binary.tar.gz    98.9 MB → 40.2 MB  /usr/bin/node`. */
export function formatPacked(layer: PackedLayer, style: Style): string {
  const plain = formatBytes(layer.plainBytes).padStart(7);
  const packed = formatBytes(layer.sizeBytes).padStart(7);
  const note = layer.tree.level === 0 ? ', not compressed' : '';
  const origin = fitEnd(layer.tree.origin, ORIGIN_COLUMNS - note.length).trimEnd();
  const name = layer.fileName.padEnd(NAME_COLUMNS);
  return `  ${name}  ${plain} → ${packed}  ${style.colors.dim(origin + note)}`;
}

const COLUMNS: readonly Column[] = [
  { title: 'layer', align: 'left' },
  { title: 'size', align: 'right' },
  { title: 'parts', align: 'right' },
  { title: 'outcome', align: 'left' },
  { title: 'time', align: 'right' },
  { title: 'rate', align: 'right' },
];

export function formatPush(push: Push, layers: readonly StoredLayer[], style: Style): string {
  const receipts = layers.flatMap(({ name, digest }) => {
    const receipt = push.sent.get(digest);
    return receipt === undefined ? [] : [{ name, ...receipt }];
  });
  const rows = receipts.map(({ name, sizeBytes, partCount, outcome, durationMs }) => [
    name,
    formatBytes(sizeBytes),
    String(partCount),
    outcome,
    formatDuration(durationMs),
    rateOf(sizeBytes, durationMs),
  ]);
  const { sentBytes, durationMs, callCount } = push.receipt;
  const partCount = receipts.reduce((sum, receipt) => sum + receipt.partCount, 0);
  const totals = [
    'image, side by side',
    formatBytes(sentBytes),
    String(partCount),
    `${callCount} calls`,
    formatDuration(durationMs),
    rateOf(sentBytes, durationMs),
  ];
  return formatTable(COLUMNS, rows, totals, style.colors);
}

export function formatChecks(checks: readonly Check[], style: Style): string {
  const { colors } = style;
  return checks
    .map(({ claim, holds }) => `${holds ? colors.green('ok  ') : colors.red('FAIL')}  ${claim}`)
    .join('\n');
}

function rateOf(sizeBytes: number, durationMs: number): string {
  return formatRate(durationMs > 0 ? (sizeBytes / durationMs) * 1000 : undefined);
}
