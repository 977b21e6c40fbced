/** Files that tell a sync what to copy: ours, and other programs'. */

import { LongshoreError } from '../../../src/errors.ts';
import type { ImportedConfig } from '../../../src/sync/config-draft.ts';
import { parseSyncConfig } from '../../../src/sync/config-file.ts';
import { importRegsync } from '../../../src/sync/import-regsync.ts';
import { importSkopeo } from '../../../src/sync/import-skopeo.ts';
import { compileTagFilter } from '../../../src/sync/tag-filter.ts';
import { type FuzzTarget, kindOf, outcomeOf, pureTarget } from '../fuzz-target.ts';

const YAML = [
  ': ',
  '\n',
  '  ',
  '- ',
  '[',
  ']',
  '{',
  '}',
  '&a ',
  '*a',
  '<<: *a',
  '"',
  "'",
  '|\n',
  '# ',
  '!!str ',
  '? ',
  '---\n',
];
const TAGS = ['latest', '1.27', 'v2.0.0-rc.1', '3'];

/** The kind of the first problem is what came of it. */
async function toldOf(parse: () => unknown): Promise<string> {
  try {
    return await outcomeOf(parse, () => false);
  } catch (error) {
    if (!LongshoreError.is(error, 'E_CONFIG_INVALID')) throw error;
    return kindOf(new Error(error.details.problems[0]?.problem));
  }
}

const syncConfig: FuzzTarget = pureTarget({
  name: 'sync-config',
  words: [
    ...YAML,
    'from',
    'tags',
    'include',
    'regex',
    'semver',
    'newest',
    'oci:',
    '**',
    '{name}',
    '@sha256:',
    '__proto__',
    '1e999',
    '.inf',
    '~',
  ],
  seeds: [
    `version: 1
registries: { docker.io: { credentials: { username: a, passwordEnv: B } } }
targets: { main: { region: eu-west-1, callsPerSecondMax: { PutImage: 2 } } }
defaults: { to: "m/{registry}/{name}", tags: { newest: 3 } }
mappings:
  - from: nginx:1.27
  - from: ["ghcr.io/team/*", "oci:./x"]
    tags: { include: ["1.*"], regex: ["v\\\\d+"], semver: ">=1 <3", exclude: ["*-rc*"] }
    createRepository: { imageTagMutability: IMMUTABLE }
`,
  ],
  // What is taken can be used: the filters are made ready and asked.
  run: (input) =>
    toldOf(() => {
      const { mappings } = parseSyncConfig(input.toString('utf8'));
      return mappings.map(({ tags }) => compileTagFilter(tags ?? {}).choose(TAGS));
    }),
});

function importer(
  name: string,
  run: (text: string) => ImportedConfig,
  words: readonly string[],
  seed: string,
): FuzzTarget {
  return pureTarget({
    name,
    words: [...YAML, ...words],
    seeds: [seed],
    run: (input) =>
      toldOf(() => {
        const { text, notes } = run(input.toString('utf8'));
        if (notes.some((note) => note.includes('\n'))) throw new Error('a note of two lines');
        try {
          return parseSyncConfig(text);
        } catch (error) {
          throw new TypeError(`what it made is not taken:\n${text}`, { cause: error });
        }
      }),
  });
}

const skopeoFile = importer(
  'skopeo-file',
  importSkopeo,
  [
    'images',
    'images-by-tag-regex',
    'images-by-semver',
    'credentials',
    'tls-verify',
    '>= 1, < 2',
    '^1\\.',
    '[[:digit:]]',
  ],
  `docker.io:
  images: { busybox: [], redis: ["1.0"] }
  images-by-tag-regex: { nginx: ^1\\.1[23]-(a|b)$ }
  images-by-semver: { alpine: ">= 3.12.0" }
  credentials: { username: a, password: b }
  tls-verify: false
`,
);

const regsyncFile = importer(
  'regsync-file',
  importRegsync,
  [
    'creds',
    'sync',
    'source',
    'target',
    'type',
    'tagSets',
    'allow',
    'deny',
    'semverRange',
    '{{ .Sync.Source }}',
    'ocidir://',
    '(?!',
  ],
  `version: 1
creds: [{ registry: docker.io, user: a, pass: b, reqConcurrent: 5 }]
defaults: { interval: 60m, referrers: true }
sync:
  - &a { source: "busybox:latest", target: "r.example.org/busybox:latest", type: image }
  - source: alpine
    target: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/alpine
    type: repository
    tagSets: [{ allow: [latest, "3\\\\.\\\\d+"], deny: ["3.0", "x(y|z)"] }, { semverRange: [">=3 <4"] }]
  - { source: quay.io, target: r.example.org/q, type: registry, repos: { allow: ["team/.*"] } }
`,
);

export const syncFiles: readonly FuzzTarget[] = [syncConfig, skopeoFile, regsyncFile];
