/** What no client can exceed on an emulated link, by formula. */

import type { LayerFile, Link } from '../harness/protocol.ts';
import { MEGABYTE } from './quantity.ts';

/** ECR's published rates, calls a second. */
const INITIATES_PER_SECOND = 100;
const PARTS_PER_SECOND = 500;
const COMPLETES_PER_SECOND = 100;

/** What a layer's bytes become on the wire. */
const BASE64_GROWTH: number = 4 / 3;

/**
 * Layer bytes a second that no client can exceed as long as the server takes a layer's parts one
 * after another: each is on the wire for as little as one likes, but it is served alone.
 */
export function orderedBound(link: Link, partSizeBytes: number): number {
  return partSizeBytes / ((link.partServiceTimeMs + meanRoundTripMs(link)) / 1000);
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

export interface ImageBound {
  /** The image's bytes over the whole line; 0 for a line without limit. */
  readonly capacitySeconds: number;
  /** The layer that takes longest when nothing else is in its way. */
  readonly longestLayerSeconds: number;
  /** Calls against ECR's rates, each rate by itself. */
  readonly quotaSeconds: number;
  /** The largest of them. */
  readonly seconds: number;
}

/**
 * The least time for layers side by side, all parts of one size.
 * @param growth wire bytes for each byte of a layer: base64's by default, 1 for a peer
 */
export function imageBound(
  link: Link,
  partSizeBytes: number,
  layers: readonly Pick<LayerFile, 'sizeBytes'>[],
  growth: number = BASE64_GROWTH,
): ImageBound {
  const totalBytes = layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const { bytesPerSecondTotal = Number.POSITIVE_INFINITY } = link;
  const capacitySeconds = (totalBytes * growth) / bytesPerSecondTotal;
  const longestLayerSeconds = Math.max(
    0,
    ...layers.map(({ sizeBytes }) => layerSeconds(link, partSizeBytes, sizeBytes, growth)),
  );
  const quotaSeconds = quotaBound(layers, partSizeBytes);
  return {
    capacitySeconds,
    longestLayerSeconds,
    quotaSeconds,
    seconds: Math.max(capacitySeconds, longestLayerSeconds, quotaSeconds),
  };
}

/**
 * Calls over ECR's rates, of which a second's worth may be made at once after a rest.
 */
export function quotaBound(
  layers: readonly Pick<LayerFile, 'sizeBytes'>[],
  partSizeBytes: number,
): number {
  const parts = layers.reduce((sum, { sizeBytes }) => sum + partCount(sizeBytes, partSizeBytes), 0);
  const beyondBurst = (calls: number, perSecond: number): number =>
    Math.max(0, calls - perSecond) / perSecond;
  return Math.max(
    beyondBurst(layers.length, INITIATES_PER_SECOND),
    beyondBurst(parts, PARTS_PER_SECOND),
    beyondBurst(layers.length, COMPLETES_PER_SECOND),
  );
}

/** A link in the words of a table's note. */
export function describeLink(link: Link): string {
  const { jitterMs = 0, bytesPerSecondTotal } = link;
  return [
    `${link.roundTripMs} ms round trip${jitterMs === 0 ? '' : ` and up to ${jitterMs} ms more`}`,
    `${link.partServiceTimeMs} ms service a part`,
    `${link.bytesPerSecondPerConnection / MEGABYTE} MB/s a connection`,
    ...(bytesPerSecondTotal === undefined ? [] : [`${bytesPerSecondTotal / MEGABYTE} MB/s in all`]),
  ].join(', ');
}

/** The first part has to arrive; from then on each is served when the one before it is. */
function layerSeconds(
  link: Link,
  partSizeBytes: number,
  sizeBytes: number,
  growth: number,
): number {
  const firstBytes = Math.min(partSizeBytes, sizeBytes);
  const arrivalSeconds = (firstBytes * growth) / link.bytesPerSecondPerConnection;
  const servedMs =
    partCount(sizeBytes, partSizeBytes) * (link.partServiceTimeMs + meanRoundTripMs(link));
  return arrivalSeconds + servedMs / 1000;
}

function partCount(sizeBytes: number, partSizeBytes: number): number {
  return Math.ceil(sizeBytes / partSizeBytes);
}

/** Jitter is drawn evenly. */
function meanRoundTripMs({ roundTripMs, jitterMs = 0 }: Link): number {
  return roundTripMs + jitterMs / 2;
}
