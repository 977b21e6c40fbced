/** Questions to the import graph. */

import type { ImportKind, SourceModule } from './source-tree.ts';

/** Everything that is reached from `entry` by imports of `kinds`, packages included. */
export function reachedFrom(
  entry: string,
  modules: readonly SourceModule[],
  kinds: readonly ImportKind[],
): ReadonlySet<string> {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const reached = new Set<string>();
  const open = [entry];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const { kind, target } of byPath.get(path)?.imports ?? []) {
      if (kinds.includes(kind)) open.push(target);
    }
  }
  return reached;
}

/** The circles of the graph, type imports included, each once and as a readable path. */
export function circlesOf(modules: readonly SourceModule[]): string[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      circles.push([...trail.slice(start), path].join(' -> '));
      return;
    }
    if (done.has(path)) return;
    for (const { own, target } of byPath.get(path)?.imports ?? []) {
      if (own) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of modules) visit(path, []);
  return circles;
}
