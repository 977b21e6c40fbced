/** What no client can exceed on an emulated link, by formula. */

import type { LayerFile, Link } from '../harness/protocol.ts';
import { MEGABYTE } from './quantity.ts';

/** ECR's published rates, calls a second. */
const INITIATES_PER_SECOND = 100;
const PARTS_PER_SECOND = 500;
const COMPLETES_PER_SECOND = 100;

/** What a layer's bytes become on the wire. */
const BASE64_GROWTH: number = 4 / 3;

/** A new connection, Initiate, Complete; the connections of parts are made meanwhile. */
const ROUND_TRIPS_BESIDE_PARTS = 3;

/**
 * Layer bytes a second that no client can exceed which waits for a part's acknowledgement before it
 * lets the next one become whole, as ECR's rule of consecutive parts asks. Parts may travel side by
 * side, so their way costs nothing in the long run; but each is served alone, and the next one's last
 * bytes can only leave when the reply is back: service time and round trip are paid for every part.
 */
export function orderedBound(link: Link, partSizeBytes: number): number {
  const { bytesPerSecondTotal = Number.POSITIVE_INFINITY } = link;
  return Math.min(partSizeBytes / servedSeconds(link), bytesPerSecondTotal / BASE64_GROWTH);
}

/**
 * The same for a layer of so many bytes, from its first call to its last, which a short one feels: a
 * connection and Initiate come before the first part, the first part has to arrive before it can be
 * served, and Complete comes after the last one.
 */
export function orderedBoundOf(link: Link, partSizeBytes: number, sizeBytes: number): number {
  const { bytesPerSecondTotal = Number.POSITIVE_INFINITY } = link;
  const aloneSeconds =
    (ROUND_TRIPS_BESIDE_PARTS * meanRoundTripMs(link)) / 1000 +
    layerSeconds(link, partSizeBytes, sizeBytes, BASE64_GROWTH);
  return sizeBytes / Math.max(aloneSeconds, (sizeBytes * BASE64_GROWTH) / bytesPerSecondTotal);
}

/** Layer bytes a second of a client that sends a part when the one before it is acknowledged. */
export function sequentialBound(link: Link, partSizeBytes: number): number {
  return partSizeBytes / (wireSeconds(link, partSizeBytes) + servedSeconds(link));
}

/**
 * The fewest parts in flight that keep the server busy with a layer: one is served, and as many are on
 * their way as are served while one travels.
 */
export function partsNeeded(link: Link, partSizeBytes: number): number {
  const served = servedSeconds(link);
  return Math.ceil((wireSeconds(link, partSizeBytes) + served) / served);
}

/** A part as base64 over one connection. */
function wireSeconds(link: Link, partSizeBytes: number): number {
  return (partSizeBytes * BASE64_GROWTH) / link.bytesPerSecondPerConnection;
}

/** From a part's last byte to its acknowledgement. */
function servedSeconds(link: Link): number {
  return (link.partServiceTimeMs + meanRoundTripMs(link)) / 1000;
}

/** Seconds for a layer in one stream of bytes as they are, which is how other programs send it. */
export interface StreamBound {
  /** Nothing but its way. */
  readonly wireSeconds: number;
  /** Where the registry reads on only when it has served a part, as the emulator does. */
  readonly servedSeconds: number;
}

/** Without base64, in a single request: one round trip, but each part is served all the same. */
export function streamBound(link: Link, partSizeBytes: number, sizeBytes: number): StreamBound {
  const onWire = sizeBytes / link.bytesPerSecondPerConnection + meanRoundTripMs(link) / 1000;
  const servedMs = partCount(sizeBytes, partSizeBytes) * link.partServiceTimeMs;
  return { wireSeconds: onWire, servedSeconds: onWire + servedMs / 1000 };
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

/** The same, short enough to stand beside a bar. */
export function nameLink({ jitterMs = 0, ...link }: Link): string {
  return [
    `${link.roundTripMs}${jitterMs === 0 ? '' : `-${link.roundTripMs + jitterMs}`} ms away`,
    `${link.partServiceTimeMs} ms service`,
    `${link.bytesPerSecondPerConnection / MEGABYTE} MB/s`,
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
  return arrivalSeconds + partCount(sizeBytes, partSizeBytes) * servedSeconds(link);
}

function partCount(sizeBytes: number, partSizeBytes: number): number {
  return Math.ceil(sizeBytes / partSizeBytes);
}

/** Jitter is drawn evenly. */
function meanRoundTripMs({ roundTripMs, jitterMs = 0 }: Link): number {
  return roundTripMs + jitterMs / 2;
}
