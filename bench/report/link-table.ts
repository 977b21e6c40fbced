/** The table of the `link` scenario. */

import type { Link } from '../harness/server-process.ts';
import { median } from '../statistics.ts';
import type { NamedRuns } from './layer-table.ts';
import { leftovers, quietness, speedOf } from './layer-table.ts';
import {
  formatMegabytes,
  formatNumber,
  formatRatio,
  formatShare,
  formatSpread,
  MEGABYTE,
} from './quantity.ts';
import type { Table } from './table.ts';

/**
 * Layer bytes a second that no client can exceed as long as the server takes a layer's parts one
 * after another: each is on the wire for as little as one likes, but it is served alone.
 */
export function orderedBound(link: Link, partSizeBytes: number): number {
  return partSizeBytes / ((link.partServiceTimeMs + link.roundTripMs) / 1000);
}

/**
 * The same for a layer of so many bytes: the first part has to arrive before it can be served, which
 * a short layer feels.
 */
export function orderedBoundOf(link: Link, partSizeBytes: number, sizeBytes: number): number {
  const servedSeconds = sizeBytes / orderedBound(link, partSizeBytes);
  return sizeBytes / (wireSeconds(link, partSizeBytes) + servedSeconds);
}

/** Layer bytes a second of a client that sends a part when the one before it is acknowledged. */
export function sequentialBound(link: Link, partSizeBytes: number): number {
  const servedSeconds = partSizeBytes / orderedBound(link, partSizeBytes);
  return partSizeBytes / (wireSeconds(link, partSizeBytes) + servedSeconds);
}

/** A part as base64 over one connection. */
function wireSeconds(link: Link, partSizeBytes: number): number {
  return (partSizeBytes * 4) / 3 / link.bytesPerSecondPerConnection;
}

/** @param contestants the sequential one first */
export function linkTable(
  link: Link,
  partSizeBytes: number,
  sizeBytes: number,
  contestants: readonly NamedRuns[],
): Table {
  const bound = orderedBound(link, partSizeBytes) / MEGABYTE;
  const finiteBound = orderedBoundOf(link, partSizeBytes, sizeBytes) / MEGABYTE;
  const sequential = speedOf(contestants[0]?.runs ?? []).median;
  const rows = contestants.map(({ name, runs }) => {
    const speed = speedOf(runs);
    return [
      name,
      formatSpread(speed),
      formatRatio(speed.median / sequential),
      formatShare(speed.median / bound),
      formatShare(speed.median / finiteBound),
      formatMegabytes(median(runs.map(({ rssPeakBytes }) => rssPeakBytes))),
    ];
  });
  const mib = partSizeBytes / 2 ** 20;
  return {
    title: `One layer of ${formatMegabytes(sizeBytes)} over the link, ${mib} MiB parts`,
    columns: ['contestant', 'MB/s', 'vs sequential', 'of bound', 'with first part', 'peak RSS'],
    rows,
    notes: [
      `link: ${link.roundTripMs} ms round trip, ${link.partServiceTimeMs} ms service a part, ${link.bytesPerSecondPerConnection / MEGABYTE} MB/s a connection, consecutive parts enforced`,
      `bound for ordered parts: ${mib} MiB / ${link.partServiceTimeMs + link.roundTripMs} ms = ${formatNumber(bound)} MB/s, for a layer this long and its first part's way ${formatNumber(finiteBound)} MB/s; for one part at a time ${formatNumber(sequentialBound(link, partSizeBytes) / MEGABYTE)} MB/s`,
      quietness(contestants),
      ...leftovers(contestants),
    ],
  };
}
