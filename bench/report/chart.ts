/** What a chart shows. How it is drawn is `chart-svg.ts`'s matter. */

import type { Spread } from '../statistics.ts';

/** Who a mark stands for: decides its colour. */
export type Role = 'longshore' | 'rival' | 'bound';

export interface Bar {
  readonly name: string;
  readonly role: Role;
  readonly spread: Spread;
}

/** Contestants beside each other; a line from minimum to maximum over each bar. */
export interface BarChart {
  readonly kind: 'bars';
  readonly title: string;
  /** What the bars' length means, with its unit. */
  readonly quantity: string;
  readonly bars: readonly Bar[];
}

export interface Point {
  readonly x: number;
  readonly spread: Spread;
}

export interface Series {
  readonly name: string;
  readonly role: Role;
  readonly points: readonly Point[];
}

/** How something depends on a setting. */
export interface LineChart {
  readonly kind: 'lines';
  readonly title: string;
  readonly setting: string;
  readonly quantity: string;
  readonly series: readonly Series[];
}

export type Chart = BarChart | LineChart;

/** A spread of something that was not measured but reckoned. */
export function exactly(value: number): Spread {
  return { median: value, min: value, max: value, deviationShare: 0 };
}

/** Whose bar it is, told from the contestant's name. */
export function roleOf(name: string): Role {
  if (name.startsWith('longshore')) return 'longshore';
  return /^(?:floor|bound)\b/.test(name) ? 'bound' : 'rival';
}
