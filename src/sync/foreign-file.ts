/** Another program's YAML, looked at field by field: whoever asks for none of a field is told of it. */

import { configInvalid } from './config-problem.ts';
import { readYaml } from './yaml-document.ts';

/** @throws LongshoreError E_CONFIG_INVALID if it is no mapping in YAML */
export function readForeignFile(text: string, file: string): ForeignFields {
  const { value, problems } = readYaml(text, { isNumber: () => false, mergeKeys: true });
  if (problems.length > 0) throw configInvalid(file, problems);
  if (isFields(value)) return new ForeignFields(value);
  throw configInvalid(file, [
    { line: 1, column: 1, path: [], problem: `expected a configuration of ${file.split('.')[0]}` },
  ]);
}

/** Fields of a mapping, and which of them nobody has asked for yet. */
export class ForeignFields {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #left: Set<string>;

  constructor(value: unknown) {
    this.#fields = isFields(value) ? value : {};
    this.#left = new Set(Object.keys(this.#fields));
  }

  get names(): readonly string[] {
    return Object.keys(this.#fields);
  }

  value(name: string): unknown {
    this.#left.delete(name);
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  text(name: string): string | undefined {
    const value = this.value(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  flag(name: string): boolean | undefined {
    const value = this.value(name);
    return typeof value === 'boolean' ? value : undefined;
  }

  texts(name: string): readonly string[] {
    return this.list(name).filter((item) => typeof item === 'string');
  }

  list(name: string): readonly unknown[] {
    const value = this.value(name);
    return Array.isArray(value) ? (value as readonly unknown[]) : [];
  }

  fields(name: string): ForeignFields {
    return new ForeignFields(this.value(name));
  }

  /** A line for each field that nobody asked for, without its value, which may be a secret. */
  unasked(hints: Readonly<Record<string, string>> = {}): readonly string[] {
    return [...this.#left].map((name) => {
      const hint = Object.hasOwn(hints, name) ? hints[name] : undefined;
      return hint === undefined ? `${name} has no counterpart` : `${name}: ${hint}`;
    });
  }
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
