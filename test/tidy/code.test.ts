import { Visitor } from 'oxc-parser';
import { describe, expect, test } from 'vitest';
import type { SourceModule } from './source-tree.ts';
import { readModules } from './source-tree.ts';

const product = readModules('src', 'workers');
const everything = [...product, ...readModules('test', 'bench')];

/** Names that say nothing about what is inside. */
const VAGUE = /^(utils?|helpers?|types?|common|misc|shared|constants|lib)\b/;
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.(worker|test|contract|bench|soak|test-d))?\.ts$/;
const INDEXES = ['src/index.ts', 'src/emulator/index.ts', 'src/sync/index.ts'];
const LINES_MAX = 300;

/** Members of `process` that belong to whoever owns the process, which a library does not. */
const PROCESS_DENIED: ReadonlySet<string> = new Set([
  'abort',
  'addListener',
  'argv',
  'chdir',
  'exit',
  'exitCode',
  'kill',
  'on',
  'once',
  'prependListener',
  'stderr',
  'stdin',
  'stdout',
]);

describe('the rules of the house', () => {
  test('file names are kebab-case nouns that say what is inside', () => {
    const bad = everything
      .map(({ path }) => path)
      .filter((path) => {
        const name = path.slice(path.lastIndexOf('/') + 1);
        if (name === 'index.ts' && path.startsWith('src/')) return !INDEXES.includes(path);
        return !KEBAB.test(name) || VAGUE.test(name);
      });
    expect(bad).toEqual([]);
  });

  test(`no file of the product is longer than ${LINES_MAX} lines`, () => {
    const long = product
      .map(({ path, text }) => ({ path, lineCount: text.split('\n').length - 1 }))
      .filter(({ lineCount }) => lineCount > LINES_MAX);
    expect(long).toEqual([]);
  });

  test('there is no default export', () => {
    const found = everything.filter((module) => module.hasDefaultExport).map(({ path }) => path);
    expect(found).toEqual([]);
  });

  test('nothing is left for later', () => {
    const found = everything
      .filter(({ comments }) => comments.some((text) => /\b(FIXME|TODO|XXX|HACK)\b/.test(text)))
      .map(({ path }) => path);
    expect(found).toEqual([]);
  });

  test('only the command line touches the console and the process', () => {
    const library = product.filter(({ path }) => !path.startsWith('src/cli/'));
    expect(library.flatMap(processUses)).toEqual([]);
  });
});

function processUses({ path, program }: SourceModule): string[] {
  const uses: string[] = [];
  new Visitor({
    MemberExpression: ({ object, property }) => {
      if (object.type !== 'Identifier') return;
      const member = property.type === 'Identifier' ? property.name : '';
      const denied =
        object.name === 'console' || (object.name === 'process' && PROCESS_DENIED.has(member));
      if (denied) uses.push(`${path}: ${object.name}.${member}`);
    },
  }).visit(program);
  return uses;
}
