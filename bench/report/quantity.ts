/** Quantities as they stand in a table. MB is 10^6 bytes throughout, MiB is 2^20. */

import type { Spread } from '../statistics.ts';

export const MEGABYTE = 1e6;

/** Three significant digits, or whole numbers from 100 on. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value === 0) return '0';
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(3, Math.max(0, 2 - magnitude)));
}

/** Milliseconds in the unit that fits: `850 ns`, `12.5 us`, `7.25 ms`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds >= 1) return `${formatNumber(milliseconds)} ms`;
  if (milliseconds >= 1e-3) return `${formatNumber(milliseconds * 1e3)} us`;
  return `${formatNumber(milliseconds * 1e6)} ns`;
}

/** `median (min-max)`. */
export function formatSpread(spread: Spread): string {
  const { median, min, max } = spread;
  if (min === max) return formatNumber(median);
  return `${formatNumber(median)} (${formatNumber(min)}-${formatNumber(max)})`;
}

/** `2.31x` */
export function formatRatio(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(2)}x` : '-';
}

/** `87 %` */
export function formatShare(value: number): string {
  return Number.isFinite(value) ? `${(value * 100).toFixed(0)} %` : '-';
}

/** Bytes as `145 MB`. */
export function formatMegabytes(bytes: number): string {
  return Number.isFinite(bytes) ? `${formatNumber(bytes / MEGABYTE)} MB` : '-';
}
