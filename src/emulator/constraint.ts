/** A small language for the constraints of ECR's service model, and the check of a value by it. */

import { EcrException, invalidParameter, serializationFailure } from './exception.ts';

export interface StringConstraint {
  readonly kind: 'string';
  readonly lengthMin?: number;
  readonly lengthMax?: number;
  /** Source of a regular expression that must match the whole string. */
  readonly pattern?: string;
  readonly values?: readonly string[];
}
export interface IntegerConstraint {
  readonly kind: 'integer';
  readonly min?: number;
  readonly max?: number;
}
export interface ListConstraint {
  readonly kind: 'list';
  readonly of: Constraint;
  readonly countMin?: number;
  readonly countMax?: number;
}
export interface StructureConstraint {
  readonly kind: 'structure';
  readonly required: Readonly<Record<string, Constraint>>;
  readonly optional: Readonly<Record<string, Constraint>>;
}
export type Constraint =
  | StringConstraint
  | IntegerConstraint
  | { readonly kind: 'boolean' }
  | { readonly kind: 'any' }
  | ListConstraint
  | StructureConstraint;

/**
 * Checks `value` by `constraint`. Members that the model does not know are ignored, as AWS does;
 * null stands for an absent member.
 *
 * @returns The exception to answer with, or undefined if the value is sound.
 */
export function violationOf(
  constraint: Constraint,
  value: unknown,
  path = '',
): EcrException | undefined {
  switch (constraint.kind) {
    case 'any':
      return undefined;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : wrongType(path, 'a Boolean');
    case 'integer':
      return integerViolation(constraint, value, path);
    case 'string':
      return stringViolation(constraint, value, path);
    case 'list':
      return listViolation(constraint, value, path);
    case 'structure':
      return structureViolation(constraint, value, path);
  }
}

function integerViolation(
  constraint: IntegerConstraint,
  value: unknown,
  path: string,
): EcrException | undefined {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return wrongType(path, 'a Long');
  if (constraint.min !== undefined && value < constraint.min) {
    return invalidParameter(
      path,
      `Member must have value greater than or equal to ${constraint.min}`,
    );
  }
  if (constraint.max !== undefined && value > constraint.max) {
    return invalidParameter(path, `Member must have value less than or equal to ${constraint.max}`);
  }
  return undefined;
}

function stringViolation(
  constraint: StringConstraint,
  value: unknown,
  path: string,
): EcrException | undefined {
  if (typeof value !== 'string') return wrongType(path, 'a String');
  const { lengthMin, lengthMax, pattern, values } = constraint;
  if (lengthMin !== undefined && value.length < lengthMin) {
    return invalidParameter(path, `Member must have length greater than or equal to ${lengthMin}`);
  }
  if (lengthMax !== undefined && value.length > lengthMax) {
    return invalidParameter(path, `Member must have length less than or equal to ${lengthMax}`);
  }
  if (pattern !== undefined && !compiled(pattern).test(value)) {
    return invalidParameter(path, `must satisfy regular expression '${pattern}'`);
  }
  if (values !== undefined && !values.includes(value)) {
    return invalidParameter(path, `Member must satisfy enum value set: [${values.join(', ')}]`);
  }
  return undefined;
}

function listViolation(
  constraint: ListConstraint,
  value: unknown,
  path: string,
): EcrException | undefined {
  if (!Array.isArray(value)) return wrongType(path, 'a List');
  const { countMin, countMax } = constraint;
  if (countMin !== undefined && value.length < countMin) {
    return invalidParameter(path, `Member must have length greater than or equal to ${countMin}`);
  }
  if (countMax !== undefined && value.length > countMax) {
    return invalidParameter(path, `Member must have length less than or equal to ${countMax}`);
  }
  for (const [index, item] of value.entries()) {
    const violation = violationOf(constraint.of, item, `${path}.${index + 1}.member`);
    if (violation !== undefined) return violation;
  }
  return undefined;
}

function structureViolation(
  constraint: StructureConstraint,
  value: unknown,
  path: string,
): EcrException | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrongType(path, 'a Structure');
  }
  const members = value as Readonly<Record<string, unknown>>;
  for (const [name, member] of Object.entries(constraint.required)) {
    const memberPath = path === '' ? name : `${path}.${name}`;
    if (members[name] === undefined || members[name] === null) {
      return invalidParameter(memberPath, 'Member must not be null');
    }
    const violation = violationOf(member, members[name], memberPath);
    if (violation !== undefined) return violation;
  }
  for (const [name, member] of Object.entries(constraint.optional)) {
    if (members[name] === undefined || members[name] === null) continue;
    const memberPath = path === '' ? name : `${path}.${name}`;
    const violation = violationOf(member, members[name], memberPath);
    if (violation !== undefined) return violation;
  }
  return undefined;
}

function wrongType(path: string, expected: string): EcrException {
  return serializationFailure(
    path === '' ? 'Expected a structure' : `The value of '${path}' cannot be read as ${expected}`,
  );
}

const patterns = new Map<string, RegExp>();

// The patterns are the model's own, a fixed set, so the cache is bounded.
function compiled(pattern: string): RegExp {
  let expression = patterns.get(pattern);
  if (expression === undefined) {
    expression = new RegExp(`^(?:${pattern})$`);
    patterns.set(pattern, expression);
  }
  return expression;
}
