/** Numbers as people read them. Sizes and rates are decimal: 1 MB is 1,000,000 bytes. */

const SIZE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** At most 7 columns, three significant digits: `0 B`, `9.54 MB`, `512 kB`, `1.20 GB`. */
export function formatBytes(sizeBytes: number): string {
  let value = Math.max(0, sizeBytes);
  let unitIndex = 0;
  // 999.5 of a unit would be printed as 1000.
  while (value >= 999.5 && unitIndex < SIZE_UNITS.length - 1) {
    value /= 1000;
    unitIndex += 1;
  }
  return `${significant(value, unitIndex === 0)} ${SIZE_UNITS[unitIndex]}`;
}

/** At most 9 columns; `-` while there is nothing to measure yet. */
export function formatRate(bytesPerSecond: number | undefined): string {
  return bytesPerSecond === undefined ? '-' : `${formatBytes(bytesPerSecond)}/s`;
}

/** `0:07`, `12:03`, `3:00:59`; `-` if unknown, `>99 h` beyond. At most 8 columns. */
export function formatClock(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return '-';
  const whole = Math.max(0, Math.ceil(seconds));
  const hours = Math.floor(whole / 3600);
  if (hours > 99) return '>99 h';
  const minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, '0');
  if (hours === 0) return `${minutes}:${rest}`;
  return `${hours}:${String(minutes).padStart(2, '0')}:${rest}`;
}

/** How long something took: `0.42 s`, `7.1 s`, `84 s`, `12:03`. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, durationMs) / 1000;
  if (seconds >= 99.5) return formatClock(seconds);
  return `${significant(seconds, false, 2)} s`;
}

/** 0 to 100 without decimals, and 100 only when nothing is left; `undefined` if unknown. */
export function formatPercent(doneBytes: number, sizeBytes: number | undefined): string {
  if (sizeBytes === undefined) return '';
  if (doneBytes >= sizeBytes) return '100%';
  return `${Math.floor((Math.max(0, doneBytes) / sizeBytes) * 100)}%`;
}

/** `1 layer`, `12 layers`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `3 waiting`; empty for none. */
export function countText(count: number, what: string): string {
  return count === 0 ? '' : `${count} ${what}`;
}

function significant(value: number, whole: boolean, digits = 3): string {
  if (whole || value >= 10 ** (digits - 1) - 0.5) return value.toFixed(0);
  for (let decimals = digits - 1; decimals > 0; decimals -= 1) {
    const text = value.toFixed(decimals);
    if (text.replace('.', '').length <= digits) return text;
  }
  return value.toFixed(0);
}
