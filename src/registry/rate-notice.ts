/** What a registry says of its limits, in the headers that it sends with any reply. */

export interface RateNotice {
  readonly limit?: number;
  readonly remaining?: number;
  /** How long the window of the limit is. */
  readonly windowMs?: number;
  /** When it begins anew. */
  readonly resetMs?: number;
}

/** Others are times of day, in seconds since 1970. */
const SECONDS_MAX = 1e9;
/** One header for all, in the order of its drafts: `limit=100, remaining=0, reset=5`; `"a";r=0;t=5`. */
const COMBINED = {
  remaining: /(?:^|[\s,])remaining=([0-9]{1,9})\b|;\s*r=([0-9]{1,9})\b/,
  reset: /(?:^|[\s,])reset=([0-9]{1,9})\b|;\s*t=([0-9]{1,9})\b/,
};

/** Docker Hub has `ratelimit-remaining: 0;w=21600`; never throws. */
export function rateNoticeOf(reply: { header(name: string): string | undefined }): RateNotice {
  const [limit, limitWindow] = countIn(reply.header('ratelimit-limit'));
  const [remaining, window] = countIn(reply.header('ratelimit-remaining'));
  const [reset] = countIn(reply.header('ratelimit-reset'));
  const combined = reply.header('ratelimit') ?? '';
  return numbersOf({
    limit,
    remaining: remaining ?? numberIn(COMBINED.remaining, combined),
    windowMs: msOf(window ?? limitWindow),
    resetMs: msOf(reset ?? numberIn(COMBINED.reset, combined)),
  });
}

function countIn(header: string | undefined): readonly (number | undefined)[] {
  const [, count, window] = /^([0-9]{1,12})(?:\s*;\s*w=([0-9]{1,9}))?/.exec(header ?? '') ?? [];
  return [count, window].map((text) => (text === undefined ? undefined : Number(text)));
}

function numberIn(pattern: RegExp, text: string): number | undefined {
  const [, older, newer] = pattern.exec(text) ?? [];
  const found = older ?? newer;
  return found === undefined ? undefined : Number(found);
}

function msOf(seconds: number | undefined): number | undefined {
  return seconds === undefined || seconds > SECONDS_MAX ? undefined : seconds * 1000;
}

function numbersOf(numbers: Readonly<Record<keyof RateNotice, number | undefined>>): RateNotice {
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined));
}
