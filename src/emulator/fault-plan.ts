/** Decides which fault strikes which request. Counts; does nothing itself. */

import { FAULT_RULES_MAX } from './emulator-limits.ts';
import type { FaultAction, FaultRule } from './fault-rule.ts';
import type { OperationName } from './operation-name.ts';

/** Faults that strike when only the head of a request is known. */
export type HeadFault = Extract<FaultAction, { kind: 'reset' | 'cut-body' | 'skew-clock' }>;
export type BodyFault = Exclude<FaultAction, HeadFault>;

interface CountedRule {
  readonly rule: FaultRule;
  matchCount: number;
  strikeCount: number;
}

export class FaultPlan {
  readonly #random: () => number;
  #rules: CountedRule[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  /** @throws RangeError if a rule cannot work or there are more than 1,000. */
  add(rules: readonly FaultRule[]): void {
    if (this.#rules.length + rules.length > FAULT_RULES_MAX) {
      throw new RangeError(`faults: more than ${FAULT_RULES_MAX} rules`);
    }
    for (const rule of rules) {
      if (rule.match !== undefined && isHeadFault(rule.action)) {
        throw new RangeError(`faults: '${rule.action.kind}' strikes before a match is known`);
      }
      this.#rules.push({ rule, matchCount: 0, strikeCount: 0 });
    }
  }

  clear(): void {
    this.#rules = [];
  }

  /** All head faults that strike this request. */
  strikeHead(operation: OperationName | undefined): HeadFault[] {
    const struck: HeadFault[] = [];
    for (const counted of this.#rules) {
      const { action } = counted.rule;
      if (isHeadFault(action) && covers(counted.rule, operation) && this.#strikes(counted)) {
        struck.push(action);
      }
    }
    return struck;
  }

  /** The first body fault that strikes this request. */
  strikeBody(
    operation: OperationName,
    input: Readonly<Record<string, unknown>>,
  ): BodyFault | undefined {
    let struck: BodyFault | undefined;
    for (const counted of this.#rules) {
      const { action } = counted.rule;
      if (isHeadFault(action) || !covers(counted.rule, operation)) continue;
      if (!matches(counted.rule, input)) continue;
      // Rules behind the first one still count this request, but keep their strikes.
      if (struck === undefined) struck = this.#strikes(counted) ? action : undefined;
      else counted.matchCount += 1;
    }
    return struck;
  }

  #strikes(counted: CountedRule): boolean {
    const { nth = 1, probability, times } = counted.rule;
    counted.matchCount += 1;
    const timesMax = times ?? (probability === undefined ? 1 : Number.POSITIVE_INFINITY);
    if (counted.matchCount < nth || counted.strikeCount >= timesMax) return false;
    if (probability !== undefined && this.#random() >= probability) return false;
    counted.strikeCount += 1;
    return true;
  }
}

function isHeadFault(action: FaultAction): action is HeadFault {
  return action.kind === 'reset' || action.kind === 'cut-body' || action.kind === 'skew-clock';
}

function covers(rule: FaultRule, operation: OperationName | undefined): boolean {
  return rule.operation === '*' || rule.operation === operation;
}

function matches(rule: FaultRule, input: Readonly<Record<string, unknown>>): boolean {
  const { firstByte, repository, uploadId } = rule.match ?? {};
  return (
    (repository === undefined || input['repositoryName'] === repository) &&
    (uploadId === undefined || input['uploadId'] === uploadId) &&
    (firstByte === undefined || input['partFirstByte'] === firstByte)
  );
}
