/** The rooms of the house (ARCHITECTURE.md, "Rooms") as a table that the import graph is held to. */

/** What a room's modules may import beside each other and the foundation. */
export interface Room {
  readonly rooms: readonly RoomName[];
  /** Packages, at run time or for their types. */
  readonly packages: readonly string[];
  /** Packages of which only types may be imported. */
  readonly typePackages?: readonly string[];
  /** Default: all of it. */
  readonly foundation?: readonly string[];
  /** Node's own modules that may not be imported. */
  readonly builtinsDenied?: readonly string[];
  /** The modules by which other rooms may enter. Default: all of them. */
  readonly doors?: readonly string[];
}

export type RoomName =
  | 'index'
  | 'uploader'
  | 'layer'
  | 'journal'
  | 'pool'
  | 'network'
  | 'workers'
  | 'image'
  | 'source'
  | 'registry'
  | 'ecr'
  | 'emulator'
  | 'sync'
  | 'cli'
  | 'foundation';

const FOUNDATION = ['src/limits.ts', 'src/errors.ts', 'src/digest.ts', 'src/abort.ts'];
const FOLDERS = [
  'uploader',
  'layer',
  'journal',
  'image',
  'pool',
  'network',
  'source',
  'registry',
  'ecr',
  'emulator',
  'sync',
  'cli',
] as const;
/** Everything by which a program touches the outside. */
const INPUT_OUTPUT = [
  'node:child_process',
  'node:dgram',
  'node:dns',
  'node:fs',
  'node:fs/promises',
  'node:http',
  'node:http2',
  'node:https',
  'node:net',
  'node:os',
  'node:process',
  'node:tls',
  'node:worker_threads',
];

export const ROOMS: { readonly [Name in RoomName]: Room } = {
  index: {
    rooms: ['uploader', 'layer', 'image', 'source', 'ecr'],
    packages: [],
    typePackages: ['@aws-sdk/client-ecr'],
  },
  uploader: {
    rooms: ['layer', 'image', 'journal', 'pool', 'network', 'source', 'registry', 'ecr'],
    packages: ['p-limit'],
    typePackages: ['@aws-sdk/client-ecr'],
  },
  layer: { rooms: [], packages: ['p-limit'], builtinsDenied: INPUT_OUTPUT },
  // What survives a crash; the heart knows it by its port only.
  journal: { rooms: ['layer'], packages: [] },
  // The graph of descriptors: it knows sources and ECR by their ports only.
  image: {
    rooms: ['layer'],
    packages: ['jsonc-parser', 'p-limit'],
    // The settings of a repository that a request may ask for.
    typePackages: ['@aws-sdk/client-ecr'],
    builtinsDenied: INPUT_OUTPUT,
  },
  pool: {
    rooms: ['layer', 'image', 'network'],
    packages: ['piscina', 'hash-wasm', '@bokuweb/zstd-wasm'],
  },
  // Agents and proxies, which the workers' own connections and the AWS client both need.
  network: { rooms: [], packages: ['http-proxy-agent', 'https-proxy-agent', 'proxy-from-env'] },
  workers: { rooms: ['pool'], packages: [] },
  source: { rooms: ['layer', 'image', 'registry'], packages: ['tar'] },
  // Reading over the OCI distribution protocol, from any registry.
  registry: { rooms: ['image', 'network'], packages: ['undici', '@swimlane/docker-reference'] },
  ecr: {
    rooms: ['layer', 'image', 'network'],
    packages: ['@aws-sdk/client-ecr', '@smithy/node-http-handler'],
  },
  // The engine's judge must not be its echo: it takes the numbers and the notation, no code.
  emulator: {
    rooms: [],
    packages: [],
    foundation: ['src/limits.ts', 'src/digest.ts'],
    doors: ['src/emulator/index.ts'],
  },
  // Many images at once: what is copied, in which order, and who waits for whom.
  sync: {
    rooms: ['uploader', 'layer', 'image', 'source', 'registry', 'ecr'],
    packages: ['p-limit', 'yaml', 'zod', 'semver', 'picomatch'],
    doors: ['src/sync/index.ts'],
  },
  cli: {
    rooms: ['index', 'emulator', 'sync'],
    packages: ['commander', 'cli-progress', 'picocolors', 'prom-client'],
    doors: [],
  },
  foundation: { rooms: [], packages: [], builtinsDenied: INPUT_OUTPUT },
};

/** The room a module stands in; `undefined` for one that nobody has given a room. */
export function roomOf(path: string): RoomName | undefined {
  if (path === 'src/index.ts') return 'index';
  if (FOUNDATION.includes(path)) return 'foundation';
  if (path.startsWith('workers/')) return 'workers';
  const folder = /^src\/([^/]+)\//.exec(path)?.[1];
  return FOLDERS.find((name) => name === folder);
}
