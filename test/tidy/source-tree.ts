/** The repository's own source, parsed once a test file: what each module imports and says. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Program, StaticExportEntry } from 'oxc-parser';
import { parseSync, Visitor } from 'oxc-parser';

export const REPOSITORY: string = fileURLToPath(new URL('../..', import.meta.url));

/** How a module asks for another one. A `type` import leaves nothing in the compiled file. */
export type ImportKind = 'type' | 'static' | 'dynamic';

export interface ModuleImport {
  readonly kind: ImportKind;
  /** A path from the repository's root for our own modules, else the package as written. */
  readonly target: string;
  readonly own: boolean;
}

export interface SourceModule {
  /** From the repository's root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly program: Program;
  readonly comments: readonly string[];
  readonly imports: readonly ModuleImport[];
  readonly hasDefaultExport: boolean;
}

/** Parses every `.ts` file under `folders`. */
export function readModules(...folders: readonly string[]): SourceModule[] {
  return folders.flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .toSorted()
      .map((name) => parseModule(join(folder, name).replaceAll('\\', '/'))),
  );
}

function parseModule(path: string): SourceModule {
  const text = readFileSync(join(REPOSITORY, path), 'utf8');
  const { program, comments, module, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${String(errors[0]?.message)}`);
  const imports: ModuleImport[] = [];
  const add = (kind: ImportKind, specifier: string): void => {
    const own = specifier.startsWith('.');
    imports.push({ kind, own, target: own ? resolveOwn(path, specifier) : specifier });
  };

  for (const { moduleRequest, entries } of module.staticImports) {
    const typeOnly = entries.length > 0 && entries.every((entry) => entry.isType);
    add(typeOnly ? 'type' : 'static', moduleRequest.value);
  }
  for (const entry of module.staticExports.flatMap((statement) => statement.entries)) {
    if (entry.moduleRequest === null) continue;
    add(entry.isType ? 'type' : 'static', entry.moduleRequest.value);
  }
  new Visitor({
    ImportExpression: ({ source }) => {
      if (source.type === 'Literal') add('dynamic', String(source.value));
    },
    TSImportType: ({ source }) => add('type', source.value),
  }).visit(program);

  const hasDefaultExport = module.staticExports.some(({ entries }) => entries.some(isDefault));
  return {
    path,
    text,
    program,
    comments: comments.map((comment) => comment.value),
    imports,
    hasDefaultExport,
  };
}

function resolveOwn(from: string, specifier: string): string {
  return relative(REPOSITORY, join(REPOSITORY, dirname(from), specifier)).replaceAll('\\', '/');
}

/** The kind is declared as an ambient const enum, which cannot be named under isolatedModules. */
function isDefault({ exportName }: StaticExportEntry): boolean {
  const kind: string = exportName.kind;
  return kind === 'Default';
}
