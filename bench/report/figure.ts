/** Figures that can be followed from one result to the next. */

import type { Spread } from '../statistics.ts';
import { spreadOf } from '../statistics.ts';

export interface Figure {
  /** Unique within its section, and the same in every result. */
  readonly name: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly spread: Spread;
}

/** A figure of which more is better. */
export function gain(name: string, unit: string, values: readonly number[]): Figure {
  return { name, unit, better: 'higher', spread: spreadOf(values) };
}

/** A figure of which less is better. */
export function cost(name: string, unit: string, values: readonly number[]): Figure {
  return { name, unit, better: 'lower', spread: spreadOf(values) };
}
