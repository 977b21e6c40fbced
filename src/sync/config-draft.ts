/** A configuration file in the making, out of another program's: what has no counterpart becomes a comment. */

import { Document, isMap, type Node, Scalar } from 'yaml';
import { configInvalid, formatPath } from './config-problem.ts';
import { problemsOf } from './config-check.ts';
import type { SourceRegistrySettings, SyncMapping, TargetSettings } from './sync-config.ts';

/** The text of one of our files, and what could not be taken over as it was. */
export interface ImportedConfig {
  /** YAML as {@link parseSyncConfig} takes it; notes stand in it as comments, where they belong. */
  readonly text: string;
  /** One line each. */
  readonly notes: readonly string[];
}

interface Drafted<Value> {
  readonly value: Value;
  readonly comments: string[];
}

/** Longest comment; what was imported may quote without end. */
const COMMENT_CHARACTERS_MAX = 500;

export class ConfigDraft {
  readonly #program: string;
  readonly #notes: string[] = [];
  readonly #head: string[] = [];
  readonly #tail: string[] = [];
  readonly #registries = new Map<string, Drafted<SourceRegistrySettings>>();
  readonly #targets = new Map<string, Drafted<TargetSettings>>();
  readonly #mappings: Drafted<SyncMapping>[] = [];
  readonly #passwords = new Map<string, string>();

  /** @param program whose file it was */
  constructor(program: string) {
    this.#program = program;
  }

  /** Of the file as a whole. */
  note(...notes: readonly string[]): void {
    this.#head.push(...this.#noted('', notes));
  }

  registry(host: string, settings: SourceRegistrySettings, notes: readonly string[]): void {
    const isSound = problemsOf(sample({ registries: { [host]: settings } }), 'object').length === 0;
    if (!isSound || this.#registries.has(host)) {
      const reason = isSound ? 'they are given twice' : 'longshore sync does not take them';
      this.leftOut(host, [...notes, `settings of the registry: ${reason}`]);
    } else {
      this.#registries.set(host, { value: settings, comments: this.#noted(host, notes) });
    }
  }

  /** Keeps the first of a name. */
  target(name: string, settings: TargetSettings, notes: readonly string[]): void {
    if (this.#targets.has(name)) return;
    this.#targets.set(name, { value: settings, comments: this.#noted(name, notes) });
  }

  /** A mapping that would not be sound is left out, and said. */
  mapping(source: string, mapping: SyncMapping, notes: readonly string[]): void {
    const targets = Object.fromEntries((mapping.targets ?? ['main']).map((name) => [name, {}]));
    const [problem] = problemsOf({ targets, mappings: [mapping] }, 'object');
    if (problem === undefined) {
      this.#mappings.push({ value: mapping, comments: this.#noted(source, notes) });
    } else {
      const what = `${formatPath(problem.path.slice(2))}: ${problem.problem}`;
      this.leftOut(source, [...notes, what]);
    }
  }

  /** What cannot be said in our file at all. */
  leftOut(source: string, reasons: readonly string[]): void {
    const [reason = ''] = this.#noted(source, [`left out: ${reasons.join('; ')}`]);
    this.#tail.push(oneLine(`${source}: ${reason}`));
  }

  /** A variable for the password of a host, which is not copied. */
  passwordVariable(host: string): string {
    const base = `${host
      .toUpperCase()
      .replaceAll(/[^A-Z0-9]+/g, '_')
      .replaceAll(/^_+|_+$/g, '')}_PASSWORD`;
    const stem = /^[A-Z]/.test(base) ? base : `REGISTRY_${base}`;
    let name = stem;
    for (let count = 2; (this.#passwords.get(name) ?? host) !== host; count += 1)
      name = `${stem}_${count}`;
    this.#passwords.set(name, host);
    return name;
  }

  /** @throws LongshoreError E_CONFIG_INVALID if nothing is left to copy */
  finish(): ImportedConfig {
    if (this.#mappings.length === 0) {
      const reasons = ['holds nothing that longshore sync can copy', ...this.#notes];
      throw configInvalid(
        `${this.#program}.yaml`,
        reasons.map((problem) => ({ line: 1, column: 1, path: [], problem })),
      );
    }
    const document = new Document({
      version: 1,
      ...(this.#registries.size > 0 && { registries: valuesOf(this.#registries) }),
      targets: valuesOf(this.#targets),
      mappings: this.#mappings.map(({ value }) => value),
    });
    document.commentBefore = commentOf([`Made of a file of ${this.#program}.`, ...this.#head]);
    for (const [host, { comments }] of this.#registries) {
      commentKey(document.getIn(['registries']), host, comments);
    }
    for (const [name, { comments }] of this.#targets) {
      commentKey(document.getIn(['targets']), name, comments);
    }
    for (const [index, { comments }] of this.#mappings.entries()) {
      const node = document.getIn(['mappings', index], true) as Node;
      if (comments.length > 0) node.commentBefore = commentOf(comments);
    }
    if (this.#tail.length > 0) document.comment = commentOf(this.#tail);
    return { text: document.toString({ lineWidth: 0 }), notes: this.#notes };
  }

  /** Remembers notes, and gives them back as comments for the place that they are about. */
  #noted(subject: string, notes: readonly string[]): string[] {
    this.#notes.push(
      ...notes.map((note) => oneLine(subject === '' ? note : `${subject}: ${note}`)),
    );
    return notes.map(oneLine);
  }
}

function sample(config: object): object {
  return { targets: { main: {} }, mappings: [{ from: 'any' }], ...config };
}

function valuesOf<Value>(drafted: ReadonlyMap<string, Drafted<Value>>): Record<string, Value> {
  return Object.fromEntries([...drafted].map(([name, { value }]) => [name, value]));
}

function commentKey(map: unknown, name: string, comments: readonly string[]): void {
  if (!isMap(map) || comments.length === 0) return;
  const pair = map.items.find(({ key }) => isKey(key, name));
  if (pair !== undefined && pair.key instanceof Scalar)
    pair.key.commentBefore = commentOf(comments);
}

function isKey(key: unknown, name: string): boolean {
  return key instanceof Scalar && key.value === name;
}

function commentOf(lines: readonly string[]): string {
  return lines.map((line) => ` ${line}`).join('\n');
}

/** What was quoted must not end the comment. */
function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\uFEFF\uD800-\uDFFF]+/gu, ' ').trim();
  return line.length > COMMENT_CHARACTERS_MAX
    ? `${line.slice(0, COMMENT_CHARACTERS_MAX)}...`
    : line;
}
