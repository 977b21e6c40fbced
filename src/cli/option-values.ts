/** Values of options as people write them. A wrong one is refused with what would have been right. */

import { InvalidArgumentError } from 'commander';
import type { Digest } from '../index.ts';
import { isTag, wrongTag } from './repository-target.ts';

const MIB = 1024 * 1024;
const BYTES_OF_UNIT: Readonly<Record<string, number>> = {
  b: 1,
  kib: 1024,
  mib: MIB,
  gib: 1024 * MIB,
  kb: 1000,
  mb: 1_000_000,
  gb: 1_000_000_000,
};

/** `20`, `20MiB`, `21000000B`: a bare number counts MiB, as ECR's own documents do. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = (match?.[2] ?? '').toLowerCase();
  const factor = unit === '' ? MIB : BYTES_OF_UNIT[unit];
  if (match?.[1] === undefined || factor === undefined) {
    throw new InvalidArgumentError('Expected a size such as 20 (MiB), 20MiB, 8MB or 1048576B.');
  }
  const sizeBytes = Math.round(Number(match[1]) * factor);
  if (sizeBytes < 1 || !Number.isSafeInteger(sizeBytes)) {
    throw new InvalidArgumentError('Expected a size above zero.');
  }
  return sizeBytes;
}

/** A parser for sizes from `min` to `max` MiB. */
export function sizeBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const sizeBytes = parseSize(text);
    if (sizeBytes < min * MIB || sizeBytes > max * MIB) {
      throw new InvalidArgumentError(`Expected ${min} to ${max} MiB.`);
    }
    return sizeBytes;
  };
}

/** A parser for whole numbers from `min` to `max`. */
export function integerBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

const MS_OF_UNIT: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };
/** Timers take no more than 24 days. */
const INTERVAL_MAX_MS = 168 * 3_600_000;

/** `90s`, `15m`, `6h`, as milliseconds. */
export function parseInterval(text: string): number {
  const match = /^(\d{1,7})([smh])$/.exec(text.trim());
  const intervalMs = Number(match?.[1]) * (MS_OF_UNIT[match?.[2] ?? ''] ?? Number.NaN);
  if (!(intervalMs >= 1000 && intervalMs <= INTERVAL_MAX_MS)) {
    throw new InvalidArgumentError('Expected a time such as 90s, 15m or 6h, at most 168h.');
  }
  return intervalMs;
}

/** A parser for numbers above zero, such as a rate. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0) {
    throw new InvalidArgumentError('Expected a number above zero.');
  }
  return value;
}

/** Where the file of a digest is. */
export interface BlobPath {
  readonly digest: Digest;
  readonly path: string;
}

/** `sha256:HEX=PATH`. */
export function parseBlobPath(text: string): BlobPath {
  const equals = text.indexOf('=');
  if (equals < 0 || equals === text.length - 1) {
    throw new InvalidArgumentError('Expected DIGEST=PATH.');
  }
  return { digest: parseDigest(text.slice(0, equals)), path: text.slice(equals + 1) };
}

export function parseTag(text: string): string {
  if (!isTag(text)) throw new InvalidArgumentError(`${wrongTag(text)}.`);
  return text;
}

/** `os/architecture[/variant]`. */
export function parsePlatform(text: string): string {
  if (!/^[a-z0-9._-]+\/[a-z0-9._-]+(\/[a-z0-9._-]+)?$/.test(text)) {
    throw new InvalidArgumentError('Expected a platform such as linux/amd64 or linux/arm/v7.');
  }
  return text;
}

/** `KEY=VALUE`; the value may be empty. */
export function parseKeyValue(text: string): { readonly key: string; readonly value: string } {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('Expected KEY=VALUE.');
  return { key: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** A parser for an option that may be given several times. */
export function each<Value>(
  parse: (text: string) => Value,
): (text: string, before: readonly Value[] | undefined) => readonly Value[] {
  return (text, before = []) => [...before, parse(text)];
}

export function parseDigest(text: string): Digest {
  const match = /^sha256:([0-9a-f]{64})$/.exec(text);
  if (match?.[1] === undefined) {
    throw new InvalidArgumentError('Expected sha256: and 64 lower-case hexadecimal digits.');
  }
  return `sha256:${match[1]}`;
}

export function parseRegistryId(text: string): string {
  if (!/^\d{12}$/.test(text)) {
    throw new InvalidArgumentError('Expected the 12 digits of an AWS account.');
  }
  return text;
}

export function parseEndpoint(text: string): string {
  const protocol = URL.canParse(text) ? new URL(text).protocol : '';
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new InvalidArgumentError('Expected a URL that begins with https:// or http://.');
  }
  return text;
}
