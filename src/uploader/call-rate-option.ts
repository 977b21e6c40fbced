import {
  CALLS_PER_SECOND_BY_DEFAULT,
  type CallsPerSecond,
  RATED_OPERATIONS,
} from '../ecr/call-quota.ts';
import { optionInvalid } from '../errors.ts';

/** Rates that a timer can keep. */
const RANGE = { min: 0.1, max: 100_000 };

/** Checks `callsPerSecondMax` and fills in the defaults. @throws LongshoreError E_OPTION_INVALID */
export function resolveCallsPerSecond(setting: unknown = {}): CallsPerSecond {
  if (typeof setting !== 'object' || setting === null) {
    throw optionInvalid('callsPerSecondMax', 'numbers by operation', typeof setting);
  }
  const given = Object.entries(setting).filter(([, perSecond]) => perSecond !== undefined);
  for (const [operation, perSecond] of given) {
    const option = `callsPerSecondMax.${operation}`;
    if (!(RATED_OPERATIONS as readonly string[]).includes(operation)) {
      throw optionInvalid(option, `one of ${RATED_OPERATIONS.join(', ')}`, operation);
    }
    const isRate =
      typeof perSecond === 'number' &&
      (perSecond === Number.POSITIVE_INFINITY ||
        (perSecond >= RANGE.min && perSecond <= RANGE.max));
    if (!isRate) {
      const expected = `a number from ${RANGE.min} to ${RANGE.max}, or Infinity`;
      throw optionInvalid(option, expected, String(perSecond));
    }
  }
  return { ...CALLS_PER_SECOND_BY_DEFAULT, ...Object.fromEntries(given) };
}
