/** JSON from outside, read so that everybody who reads it reads the same. */

import { visit } from 'jsonc-parser';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Says what is wrong with a document; the caller knows which document it is. */
export class JsonProblem extends Error {}

/** Deeper than any manifest; bounds what a reader's stack must hold. */
const DEPTH_MAX = 64;
/**
 * Values and names in a document. An index of thousands of images has some ten thousand; looking at more
 * would hold the event loop up for more than a quarter of a second.
 */
const VALUES_MAX = 100_000;
/** Characters of a document that a message repeats. */
const TEXT_SHOWN_MAX = 200;

/**
 * Reads a JSON object.
 * @throws JsonProblem for text that is not UTF-8, not JSON, no object, nested too deeply, with too many
 * values, or that has a key twice: readers disagree on which of the two counts
 */
export function readJsonObject(bytes: Uint8Array): JsonObject {
  const value = readJson(bytes);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw new JsonProblem('it is not a JSON object');
}

/** Reads any JSON value, as strictly. */
export function readJson(bytes: Uint8Array): unknown {
  const text = textOf(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new JsonProblem(`it is not JSON: ${printable((error as Error).message)}`);
  }
  assertPlain(text);
  return value;
}

/** The characters whose UTF-8 the bytes are, byte for byte. @throws JsonProblem */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new JsonProblem('it is not UTF-8 text');
  }
}

/** Text from outside, fit for a message: short, and without what would steer a terminal. */
export function printable(text: string): string {
  return text.slice(0, TEXT_SHOWN_MAX).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd');
}

function twice(name: string): JsonProblem {
  return new JsonProblem(`the key "${printable(name)}" is there twice`);
}

function assertPlain(text: string): void {
  const objects: Set<string>[] = [];
  let depth = 0;
  let valueCount = 0;
  const oneMore = (): void => {
    valueCount += 1;
    if (valueCount > VALUES_MAX) throw new JsonProblem(`it has more than ${VALUES_MAX} values`);
  };
  const deeper = (): void => {
    oneMore();
    depth += 1;
    if (depth > DEPTH_MAX) throw new JsonProblem(`it is nested deeper than ${DEPTH_MAX} levels`);
  };
  const higher = (): void => {
    depth -= 1;
  };
  visit(text, {
    onObjectBegin: () => {
      deeper();
      objects.push(new Set());
    },
    onObjectProperty: (name) => {
      oneMore();
      const names = objects.at(-1);
      if (names?.has(name) === true) throw twice(name);
      names?.add(name);
    },
    onObjectEnd: () => {
      higher();
      objects.pop();
    },
    onLiteralValue: oneMore,
    onArrayBegin: deeper,
    onArrayEnd: higher,
  });
}
