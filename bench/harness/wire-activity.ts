/** What a contestant did, as the server's journal has it. */

/** Of a journal's entry, what is read here. */
export interface CallInterval {
  readonly operation: string | undefined;
  readonly statusCode?: number | undefined;
  readonly exception?: string | undefined;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly endedAtMs?: number | undefined;
}

export interface WireActivity {
  readonly callCount: number;
  readonly throttledCount: number;
  /** From the first call's first byte to the last call's end. */
  readonly spanMs: number;
  /** Time within it in which no call was under way. */
  readonly idleMs: number;
  readonly longestIdleMs: number;
  /** When the first part arrived, milliseconds since 1970; absent without one. */
  readonly firstPartAtMs?: number;
}

/** Sums the calls up; those that never ended count as instants. */
export function activityOf(calls: readonly CallInterval[]): WireActivity {
  const intervals = calls
    .map(({ startedAtMs, endedAtMs = startedAtMs }) => ({ startedAtMs, endedAtMs }))
    .toSorted((left, right) => left.startedAtMs - right.startedAtMs);
  const startedAtMs = intervals[0]?.startedAtMs ?? 0;
  let busyUntilMs = startedAtMs;
  let idleMs = 0;
  let longestIdleMs = 0;
  for (const interval of intervals) {
    const gapMs = Math.max(0, interval.startedAtMs - busyUntilMs);
    idleMs += gapMs;
    longestIdleMs = Math.max(longestIdleMs, gapMs);
    busyUntilMs = Math.max(busyUntilMs, interval.endedAtMs);
  }
  const firstPart = calls.find(({ operation }) => operation === 'UploadLayerPart');
  return {
    callCount: calls.length,
    throttledCount: calls.filter(({ exception }) => exception === 'ThrottlingException').length,
    spanMs: busyUntilMs - startedAtMs,
    idleMs,
    longestIdleMs,
    ...(firstPart !== undefined && { firstPartAtMs: firstPart.startedAtMs }),
  };
}
