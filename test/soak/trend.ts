/** Whether a series of measurements stays where it is. */

export interface Point {
  readonly atMs: number;
  readonly value: number;
}

/** By how much the straight line through the points rises from the first to the last; least squares. */
export function riseOf(points: readonly Point[]): number {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || first.atMs === last.atMs) return 0;
  const meanMs = meanOf(points.map(({ atMs }) => atMs));
  const mean = meanOf(points.map(({ value }) => value));
  let covariance = 0;
  let variance = 0;
  for (const { atMs, value } of points) {
    covariance += (atMs - meanMs) * (value - mean);
    variance += (atMs - meanMs) ** 2;
  }
  return (covariance / variance) * (last.atMs - first.atMs);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What is left when the beginning, a share of all points, is left out. */
export function settled<T>(points: readonly T[], share: number): readonly T[] {
  return points.slice(Math.floor(points.length * share));
}
