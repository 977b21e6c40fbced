/** YAML of other people, read strictly: plain values, and where in the text each of them stands. */

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';

/** Keys of mappings and positions in lists, from the top. */
export type YamlPath = readonly (string | number)[];

/** Counted from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

export interface YamlProblem extends TextPlace {
  readonly path: YamlPath;
  readonly problem: string;
}

export interface YamlText {
  /** `undefined` where there are problems. */
  readonly value: unknown;
  readonly problems: readonly YamlProblem[];
  /** Where a value stands, or its key; for what is not there, the nearest thing around it. */
  placeOf(path: YamlPath, at?: 'value' | 'key'): TextPlace;
}

export interface YamlReading {
  /**
   * Whether a number is meant at this path. Elsewhere digits are a text as they were written: the tag `1.10` is
   * not 1.1, and the account `012345678901` keeps its zero.
   */
  readonly isNumber: (path: YamlPath) => boolean;
  /** Whether `<<` merges. Default false. */
  readonly mergeKeys?: boolean;
}

/** Largest text; ten thousand mappings are less. */
export const YAML_BYTES_MAX: number = 1024 * 1024;
/** Values in all, each use of an alias counted with all that it holds. */
const VALUES_MAX = 500_000;
const DEPTH_MAX = 32;
/** Of the parser; one mistake can bring many. */
const PROBLEMS_MAX = 100;

/**
 * Reads one document of YAML 1.2 (core schema). Keys are texts and stand once; tags (`!x`) and `%YAML 1.1`
 * are refused, and aliases that would blow a small text up.
 */
export function readYaml(text: string, reading: YamlReading): YamlText {
  if (Buffer.byteLength(text) > YAML_BYTES_MAX) {
    return failed([atStart(`expected at most ${YAML_BYTES_MAX} bytes`)]);
  }
  const lines = new LineCounter();
  const document = parsed(text, reading, lines);
  if (document === undefined) return failed([atStart('is nested too deeply')]);
  const place = (offset: number): TextPlace => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problems = syntaxProblems(document, place);
  if (problems.length > 0) return failed(problems);
  const targets = aliasTargets(document);
  const placeOf: YamlText['placeOf'] = (path, at = 'value') =>
    place(offsetOf(document, targets, path, at));
  try {
    const value = new Conversion(targets, reading).valueOf(document.contents, []);
    return { value, problems, placeOf };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { path, message } = error;
    return failed([{ ...placeOf(path, 'key'), path, problem: message }]);
  }
}

/** `undefined` where the parser ran out of stack, which it does not always tell in its own words. */
function parsed(
  text: string,
  reading: YamlReading,
  lineCounter: LineCounter,
): Document.Parsed | undefined {
  try {
    return parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      stringKeys: true,
      merge: reading.mergeKeys === true,
      logLevel: 'error',
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function failed(problems: readonly YamlProblem[]): YamlText {
  return { value: undefined, problems, placeOf: () => ({ line: 1, column: 1 }) };
}

function atStart(problem: string): YamlProblem {
  return { line: 1, column: 1, path: [], problem };
}

function syntaxProblems(
  document: Document.Parsed,
  place: (offset: number) => TextPlace,
): readonly YamlProblem[] {
  const { errors, warnings, directives } = document;
  if (errors.some(({ code }) => code === 'RESOURCE_EXHAUSTION')) {
    return [atStart('is nested too deeply')];
  }
  if (directives.yaml.explicit === true && directives.yaml.version !== '1.2') {
    return [atStart(`expected YAML 1.2, received ${directives.yaml.version}`)];
  }
  const seen = new Set<number>();
  return [...errors, ...warnings].slice(0, PROBLEMS_MAX).flatMap((error) => {
    const [offset] = error.pos;
    if (seen.has(offset)) return [];
    seen.add(offset);
    return [{ ...place(offset), path: [], problem: `YAML: ${withoutQuotes(error)}` }];
  });
}

/** What the parser quotes of the text may be a password. */
function withoutQuotes({ message, code }: YAMLError): string {
  const words = message.split(/[:"'`%]/, 1)[0]?.trim() ?? '';
  return words.includes(' ') ? words : code.toLowerCase().replaceAll('_', ' ');
}

class Refusal extends Error {
  readonly path: YamlPath;

  constructor(path: YamlPath, message: string) {
    super(message);
    this.path = path;
  }
}

/** Makes plain values of a document. */
class Conversion {
  readonly #targets: AliasTargets;
  readonly #reading: YamlReading;
  #valueCount = 0;

  constructor(targets: AliasTargets, reading: YamlReading) {
    this.#targets = targets;
    this.#reading = reading;
  }

  valueOf(node: unknown, path: YamlPath): unknown {
    this.#valueCount += 1;
    // Aliases can hold themselves, or multiply: both end here.
    if (this.#valueCount > VALUES_MAX) throw new Refusal(path, 'aliases make too much of it');
    if (path.length > DEPTH_MAX) throw new Refusal(path, 'is nested too deeply');
    const found = resolved(node, this.#targets);
    if (isSeq(found)) return found.items.map((item, index) => this.valueOf(item, [...path, index]));
    if (isMap(found)) return this.#objectOf(found.items, path);
    if (!isScalar(found)) return null;
    const { value, source } = found;
    const isDigits = typeof value === 'number' || typeof value === 'bigint';
    return isDigits && source !== undefined && !this.#reading.isNumber(path) ? source : value;
  }

  #objectOf(
    pairs: readonly { readonly key: unknown; readonly value: unknown }[],
    path: YamlPath,
  ): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    const merged: Record<string, unknown>[] = [];
    for (const { key, value } of pairs) {
      const name = keyOf(key);
      if (name === '__proto__') throw new Refusal([...path, name], 'is no name that can be used');
      if (name === '<<' && this.#reading.mergeKeys === true) {
        const bases = this.valueOf(value, path);
        merged.push(...([bases].flat() as Record<string, unknown>[]));
      } else {
        object[name] = this.valueOf(value, [...path, name]);
      }
    }
    return merged.length === 0
      ? object
      : { ...Object.assign({}, ...merged.toReversed()), ...object };
  }
}

function keyOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

type AliasTargets = ReadonlyMap<unknown, unknown>;

/** What each alias stands for, found in one walk; the package would walk once for each. */
function aliasTargets(document: Document.Parsed): AliasTargets {
  const anchors = new Map<string, unknown>();
  const targets = new Map<unknown, unknown>();
  visit(document, {
    Node: (_key, node) => {
      if (isAlias(node)) targets.set(node, anchors.get(node.source));
      else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

function resolved(node: unknown, targets: AliasTargets): unknown {
  return isAlias(node) ? targets.get(node) : node;
}

function offsetOf(
  document: Document.Parsed,
  targets: AliasTargets,
  path: YamlPath,
  at: 'value' | 'key',
): number {
  let node: unknown = document.contents;
  let offset = rangeStart(node) ?? 0;
  for (const [depth, step] of path.entries()) {
    const inside = resolved(node, targets);
    let key: unknown;
    if (isMap(inside)) {
      const pair = inside.items.find((item) => keyOf(item.key) === step);
      if (pair === undefined) break;
      key = pair.key;
      node = pair.value;
    } else if (isSeq(inside) && typeof step === 'number') {
      node = inside.items[step];
    } else {
      break;
    }
    const keyOffset = rangeStart(key);
    const isKeyWanted = at === 'key' && depth === path.length - 1;
    offset = (isKeyWanted ? keyOffset : undefined) ?? rangeStart(node) ?? keyOffset ?? offset;
  }
  return offset;
}

function rangeStart(node: unknown): number | undefined {
  return (node as Partial<Node> | null | undefined)?.range?.[0];
}
