/** What is said about a handful of repeated measurements. */

/** Median and spread of one figure over the counted runs. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Median absolute deviation from the median, as a share of the median; 0 for a single run. */
  readonly deviationShare: number;
}

/** The middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('median of no values');
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/** Summarises runs by what one outlier cannot move, and shows the outliers beside it. */
export function spreadOf(values: readonly number[]): Spread {
  const center = median(values);
  const deviation = median(values.map((value) => Math.abs(value - center)));
  return {
    median: center,
    min: Math.min(...values),
    max: Math.max(...values),
    deviationShare: center === 0 ? 0 : deviation / Math.abs(center),
  };
}
