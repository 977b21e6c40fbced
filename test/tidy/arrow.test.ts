import { isBuiltin } from 'node:module';
import { describe, expect, test } from 'vitest';
import { circlesOf, reachedFrom } from './import-graph.ts';
import type { Room } from './room.ts';
import { roomOf, ROOMS } from './room.ts';
import type { ModuleImport, SourceModule } from './source-tree.ts';
import { readModules } from './source-tree.ts';

const modules = readModules('src', 'workers');

describe('imports run from the edge to the heart', () => {
  test('every module stands in a room', () => {
    const homeless = modules.map(({ path }) => path).filter((path) => roomOf(path) === undefined);
    expect(homeless).toEqual([]);
  });

  test('every import is one its room may make', () => {
    expect(modules.flatMap(wrongArrows)).toEqual([]);
  });

  test('every import has a target', () => {
    const paths = new Set(modules.map(({ path }) => path));
    const lost = modules.flatMap(({ path, imports }) =>
      imports
        .filter(({ own, target }) => own && !paths.has(target))
        .map(({ target }) => `${path} -> ${target}`),
    );
    expect(lost).toEqual([]);
  });

  test('there is no circle, not even of types', () => {
    expect(circlesOf(modules)).toEqual([]);
  });
});

describe('what an import of the library reaches', () => {
  const everything = reachedFrom('src/index.ts', modules, ['type', 'static', 'dynamic']);
  const atOnce = reachedFrom('src/index.ts', modules, ['static']);

  test('neither the emulator nor the command line', () => {
    const rooms = [...everything].filter((path) => /^src\/(emulator|cli)\//.test(path));
    expect(rooms).toEqual([]);
  });

  test('neither piscina nor the workers before there is work', () => {
    const early = [...atOnce].filter((path) => path === 'piscina' || path.startsWith('workers/'));
    expect(early).toEqual([]);
  });
});

function wrongArrows({ path, imports }: SourceModule): string[] {
  const name = roomOf(path);
  if (name === undefined) return [];
  const room = ROOMS[name];
  return imports.flatMap((asked) => {
    const refusal = asked.own ? refusalOfModule(name, room, asked) : refusalOfPackage(room, asked);
    return refusal === undefined ? [] : [`${path} -> ${asked.target}: ${refusal}`];
  });
}

function refusalOfModule(from: string, room: Room, { target }: ModuleImport): string | undefined {
  const to = roomOf(target);
  if (to === undefined || to === from) return undefined;
  if (to === 'foundation') {
    const allowed = room.foundation?.includes(target) ?? true;
    return allowed ? undefined : `${from} may import only ${String(room.foundation)}`;
  }
  if (!room.rooms.includes(to)) return `${from} may not import ${to}`;
  const doors = ROOMS[to].doors;
  const open = doors?.includes(target) ?? true;
  return open ? undefined : `${to} is entered by ${String(doors)} only`;
}

function refusalOfPackage(room: Room, { target, kind }: ModuleImport): string | undefined {
  if (isBuiltin(target)) {
    if (!target.startsWith('node:')) return 'write the node: prefix';
    const denied = room.builtinsDenied?.includes(target) ?? false;
    return denied ? 'this room does no input or output' : undefined;
  }
  if (room.packages.includes(target)) return undefined;
  if (room.typePackages?.includes(target) !== true) return 'not a package of this room';
  return kind === 'type' ? undefined : 'only its types may be imported here';
}
