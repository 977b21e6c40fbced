import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { LongshoreError } from '../../src/errors.ts';
import { parseSyncConfig, readSyncConfig } from '../../src/sync/config-file.ts';

const WHOLE = `# Comments are free.
version: 1
registries:
  docker.io:
    credentials: { username: team, passwordEnv: HUB_PASSWORD }
    requestsInFlight: 8
  localhost:5000: { plainHttp: true, certificateAuthorityFile: ca.pem }
targets:
  main:
  backup:
    region: us-east-1
    registryId: 012345678901
    profile: backup
    endpoint: http://127.0.0.1:4566
    callsPerSecondMax: { PutImage: 2.5, UploadLayerPart: .inf }
defaults:
  to: "mirror/{registry}/{repository}"
  referrers: true
  tags: { newest: 10 }
mappings:
  - from: docker.io/library/nginx
    tags:
      include: [1.10, 1.27-alpine, 3, latest]
      regex: ['v\\d+']
      semver: ">=1.20 <2"
      prereleases: true
      exclude: ["*-rc*"]
      newest: 5
    platforms: [linux/amd64, linux/arm64/v8]
    immutableTags: ["v*"]
    createRepository:
      imageTagMutability: IMMUTABLE_WITH_EXCLUSION
      imageTagMutabilityExclusionFilters: [{ filterType: WILDCARD, filter: latest* }]
      imageScanningConfiguration: { scanOnPush: true }
      encryptionConfiguration: { encryptionType: KMS, kmsKey: alias/ecr }
      tags: [{ Key: team, Value: 007 }]
  - from: [ghcr.io/team/*, "oci:./images"]
    to: "{name}"
    targets: [backup]
    referrers: false
    createRepository: true
  - from: localhost:5000/app:1.10
`;

/** The lines of the error for a file of this text. */
function problemsOf(text: string): readonly string[] {
  try {
    parseSyncConfig(text, 'f.yaml');
  } catch (error) {
    if (LongshoreError.is(error, 'E_CONFIG_INVALID')) return error.message.split('\n');
    throw error;
  }
  return [];
}

/** A sound file but for the given lines of one mapping. */
function mappingOf(...lines: readonly string[]): string {
  return [
    'version: 1',
    'targets: { main: {} }',
    'mappings:',
    '  - from: nginx',
    ...lines.map((line) => `    ${line}`),
  ].join('\n');
}

describe('a sound file', () => {
  const config = parseSyncConfig(WHOLE);

  test('gives complete mappings, and no defaults any more', () => {
    expect(Object.keys(config)).toEqual(['registries', 'targets', 'mappings']);
    expect(config.mappings.map(({ to, referrers }) => [to, referrers])).toEqual([
      ['mirror/{registry}/{repository}', true],
      ['{name}', false],
      ['mirror/{registry}/{repository}', true],
    ]);
    expect(config.mappings[1]?.tags).toEqual({ newest: 10 });
  });

  test('keeps the digits of tags and accounts as they were written', () => {
    expect(config.mappings[0]?.tags?.include).toEqual(['1.10', '1.27-alpine', '3', 'latest']);
    expect(config.targets['backup']?.registryId).toBe('012345678901');
    expect(config.mappings[0]?.createRepository).toMatchObject({
      tags: [{ Key: 'team', Value: '007' }],
    });
  });

  test('has numbers where numbers are meant', () => {
    expect(config.mappings[0]?.tags?.newest).toBe(5);
    expect(config.registries?.['docker.io']?.requestsInFlight).toBe(8);
    expect(config.targets['backup']?.callsPerSecondMax).toEqual({
      PutImage: 2.5,
      UploadLayerPart: Infinity,
    });
  });

  test('may have a target without settings', () => {
    expect(config.targets['main']).toEqual({});
  });

  test('may have a tag behind a repository, which comes before tags of the defaults', () => {
    expect(config.mappings[2]).toMatchObject({
      from: 'localhost:5000/app',
      tags: { include: ['1.10'] },
    });
  });

  test('does not expand variables of the environment', () => {
    const { targets } = parseSyncConfig(`${mappingOf()}\n`.replace('{}', '{ profile: $HOME }'));
    expect(targets['main']?.profile).toBe('$HOME');
  });

  test('may use anchors and aliases', () => {
    const text = mappingOf('platforms: &two [linux/amd64, linux/arm64]', '', '', '').concat(
      '\n  - from: alpine\n    platforms: *two',
    );
    expect(parseSyncConfig(text).mappings[1]?.platforms).toEqual(['linux/amd64', 'linux/arm64']);
  });
});

describe('what is wrong is told with line, column and path', () => {
  test('all at once, in the order of the file, also where kinds are wrong', () => {
    const text = `version: 2
targets:
  main: { registryId: 12345, regoin: eu-west-1 }
defaults:
  targets: [other]
mappings:
  - from: nginx@sha256:${'a'.repeat(64)}
    tags: { newest: 0, semver: "=>x", regex: ["a("], include: ["^1"] }
  - to: "{tag}"
    targets: [main, nowhere]
    platforms: linux/amd64
`;
    expect(problemsOf(text)).toEqual([
      'f.yaml:1:10: version: expected 1, received 2',
      'f.yaml:3:23: targets.main.registryId: expected 12 digits',
      'f.yaml:3:30: targets.main.regoin: is no field here; expected region, registryId, profile, endpoint, callsPerSecondMax',
      'f.yaml:5:13: defaults.targets[0]: is not in targets, which has main',
      expect.stringMatching(
        /^f.yaml:7:11: mappings\[0\].from: expected a repository, received a digest/,
      ),
      'f.yaml:8:21: mappings[0].tags.newest: expected at least 1, received 0',
      'f.yaml:8:32: mappings[0].tags.semver: expected a range as npm has it, such as >=1.20 <2 || ~3.1',
      expect.stringMatching(
        /^f.yaml:8:47: mappings\[0\].tags.regex\[0\]: expected a regular expression of JavaScript/,
      ),
      expect.stringMatching(
        /^f.yaml:8:64: mappings\[0\].tags.include\[0\]: expected a tag, or a glob/,
      ),
      'f.yaml:9:5: mappings[1].from: expected a text or a list, received nothing',
      expect.stringMatching(/^f.yaml:9:9: mappings\[1\].to: \{tag\} stands for nothing/),
      'f.yaml:10:21: mappings[1].targets[1]: is not in targets, which has main',
      'f.yaml:11:16: mappings[1].platforms: expected a list, received a text',
    ]);
  });

  test.each<[string, string, RegExp]>([
    ['nothing at all', '', /^f.yaml:1:1: expected fields, received nothing$/],
    ['a list', '- a', /^f.yaml:1:1: expected fields, received a list$/],
    [
      'no target',
      'version: 1\ntargets: {}\nmappings: [{from: a}]',
      /^f.yaml:2:10: targets: expected at least one target$/,
    ],
    [
      'no mapping',
      'version: 1\ntargets: {a: }\nmappings: []',
      /^f.yaml:3:11: mappings: expected at least 1 of them, received an empty list$/,
    ],
    [
      'a tag and tags',
      mappingOf('tags: {newest: 1}').replace('nginx', 'nginx:1'),
      /^f.yaml:4:11: mappings\[0\].from: has a tag, and tags are given too/,
    ],
    [
      'a tag in a list',
      mappingOf().replace('nginx', '[a, "b:1"]'),
      /^f.yaml:4:15: mappings\[0\].from\[1\]: has a tag, which only a single/,
    ],
    [
      'a pattern for a registry',
      mappingOf().replace('nginx', '"*.io/a"'),
      /from: expected a repository without tag/,
    ],
    [
      'an unknown scheme',
      mappingOf().replace('nginx', 'https://ghcr.io/a'),
      /from: expected a repository without tag/,
    ],
    [
      'prereleases of no range',
      mappingOf('tags: { prereleases: true }'),
      /^f.yaml:5:13: mappings\[0\].tags.prereleases: says something about semver/,
    ],
    [
      'a name that ECR does not take',
      mappingOf('to: "x--{name}-"'),
      /^f.yaml:5:9: mappings\[0\].to: expected a template .* received x--\{name\}-, which gives "x--nginx-"/,
    ],
    [
      'a part of settings',
      mappingOf('createRepository: { encryptionConfiguration: {} }'),
      /createRepository.encryptionConfiguration.encryptionType: expected "AES256" or "KMS" or "KMS_DSSE", received nothing/,
    ],
    [
      'settings of another kind',
      mappingOf('createRepository: yes'),
      /createRepository: expected true or false or fields, received a text/,
    ],
    [
      'a rate of an unknown call',
      mappingOf().replace('{}', '{ callsPerSecondMax: { Push: 1 } }'),
      /^f.yaml:2:41: targets.main.callsPerSecondMax.Push: is no field here; expected BatchCheck/,
    ],
    [
      'a rate below what can be kept',
      mappingOf().replace('{}', '{ callsPerSecondMax: { PutImage: 0 } }'),
      /callsPerSecondMax.PutImage: expected at least 0.1/,
    ],
    [
      'a host that is called otherwise',
      `${mappingOf()}\nregistries: { index.docker.io: {} }`,
      /^f.yaml:5:15: registries\["index.docker.io"\]: is called docker.io in references/,
    ],
    [
      'a host with a path',
      `${mappingOf()}\nregistries: { ghcr.io/team: {} }`,
      /registries\["ghcr.io\/team"\]: expected the host/,
    ],
    ['a key twice', 'version: 1\nversion: 1', /^f.yaml:2:1: YAML: Map keys must be unique$/],
    ['YAML that is none', 'a: [1', /^f.yaml:1:6: YAML: Flow sequence/],
    ['two documents', `${mappingOf()}\n---\na: 1`, /YAML: Source contains multiple documents/],
    ['YAML of yore', `%YAML 1.1\n---\n${mappingOf()}`, /expected YAML 1.2, received 1.1/],
    ['tags of YAML', mappingOf('to: !env x'), /YAML: Unresolved tag/],
    [
      'a name of the language',
      mappingOf('__proto__: {}'),
      /__proto__: is no name that can be used/,
    ],
    ['keys that merge', mappingOf('<<: {}'), /\["<<"\]: is no field here/],
    ['depth without end', `a: ${'['.repeat(20_000)}`, /nested too deeply/],
    ['keys without end', '"'.concat('a: '.repeat(9000)), /YAML|nested too deeply/],
    ['an alias that holds itself', 'a: &a [*a]', /nested too deeply/],
    ['too much text', `# ${'x'.repeat(1024 * 1024)}`, /expected at most 1048576 bytes/],
  ])('%s', (_what, text, problem) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(problem)]);
  });

  test('aliases that multiply end soon', () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const inside = level === 0 ? 'x' : `*l${level - 1}`;
      return `l${level}: &l${level} [${Array.from({ length: 10 }, () => inside).join(', ')}]`;
    });
    expect(problemsOf(levels.join('\n'))).toEqual([
      expect.stringMatching(/aliases make too much of it/),
    ]);
  });

  test('a message tells twenty, the details all', () => {
    const text = mappingOf(...Array.from({ length: 30 }, (_, index) => `x${index}: 1`));
    expect(problemsOf(text).length).toBe(21);
    expect(problemsOf(text).at(-1)).toBe('and 10 more');
    expect(() => parseSyncConfig(text)).toThrow(
      expect.objectContaining({
        origin: 'caller',
        retryable: false,
        details: {
          file: 'sync.yaml',
          problems: expect.objectContaining({ length: 30 }) as unknown,
        },
      }),
    );
  });

  test.each([
    ['under a field that there is not', 'credentials: { username: a, password: hunter2 }'],
    [
      'where the name of a variable belongs',
      'credentials: { username: a, passwordEnv: "hunter2!" }',
    ],
    ['in YAML that is none', 'credentials: { username: a, password: "hunter2'],
    ['in a list', 'credentials: [hunter2]'],
  ])('a password %s is not repeated', (_what, line) => {
    const text = `${mappingOf()}\nregistries:\n  docker.io:\n    ${line}\n`;
    expect(problemsOf(text).join('\n')).toMatch(/f.yaml:[78]/);
    expect(problemsOf(text).join('\n')).not.toContain('hunter2');
  });

  test('a password before a host is not repeated', () => {
    const lines = problemsOf(mappingOf().replace('nginx', 'me:hunter2@ghcr.io/a'));
    expect(lines).toEqual([expect.stringContaining('mappings[0].from')]);
    expect(lines.join('')).not.toContain('hunter2');
  });
});

describe('a file of the disk', () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });
  function fileOf(text: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'longshore-config-'));
    folders.push(folder);
    const path = join(folder, 'mirror.yaml');
    writeFileSync(path, text);
    return path;
  }

  test('is read', async () => {
    expect(await readSyncConfig(fileOf(WHOLE))).toEqual(parseSyncConfig(WHOLE));
  });

  test('is named in its problems', async () => {
    const path = fileOf('version: 1');
    await expect(readSyncConfig(path)).rejects.toMatchObject({
      code: 'E_CONFIG_INVALID',
      message: expect.stringContaining(`${path}:1:1: `) as string,
    });
  });

  test('that is not there is told', async () => {
    await expect(readSyncConfig(join(tmpdir(), 'no/such.yaml'))).rejects.toMatchObject({
      code: 'E_SOURCE_UNREADABLE',
      details: { systemCode: 'ENOENT' },
    });
  });

  test('is not read if it is too large', async () => {
    await expect(readSyncConfig(fileOf('#'.repeat(1024 * 1024 + 1)))).rejects.toMatchObject({
      code: 'E_CONFIG_INVALID',
    });
  });
});
