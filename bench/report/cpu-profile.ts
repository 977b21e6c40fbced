/** Reads V8 CPU profiles (`node --cpu-prof`) and says where the time went. */

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
}

/** The members of a `.cpuprofile` file that are read here. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before, one for each sample. */
  readonly timeDeltas: readonly number[];
}

export interface FunctionTime {
  /** `name file:line`, or a V8 state such as `(idle)`. */
  readonly place: string;
  readonly selfMs: number;
}

/** Time on the function itself, callees not counted, longest first. */
export function selfTimes(profile: CpuProfile): FunctionTime[] {
  const places = new Map(profile.nodes.map((node) => [node.id, placeOf(node)]));
  const microseconds = new Map<string, number>();
  for (const [index, id] of profile.samples.entries()) {
    const place = places.get(id) ?? '(unknown)';
    // The delta of a sample is the time that led up to it.
    const delta = profile.timeDeltas[index] ?? 0;
    microseconds.set(place, (microseconds.get(place) ?? 0) + delta);
  }
  return [...microseconds]
    .map(([place, time]) => ({ place, selfMs: time / 1000 }))
    .toSorted((left, right) => right.selfMs - left.selfMs);
}

/** All but waiting. */
export function busyMs(times: readonly FunctionTime[]): number {
  return times
    .filter(({ place }) => place !== '(idle)')
    .reduce((sum, { selfMs }) => sum + selfMs, 0);
}

function placeOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  // The last two names are enough to find a file and hide whose machine it was.
  const file = url.split('/').slice(-2).join('/');
  return `${name} ${file}:${lineNumber + 1}`;
}
