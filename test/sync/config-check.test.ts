import { describe, expect, test } from 'vitest';
import { checkSyncConfig } from '../../src/sync/config-check.ts';
import type { SyncConfig, SyncMapping } from '../../src/sync/sync-config.ts';

const SOUND: SyncConfig = {
  registries: { 'ghcr.io': { requestsInFlight: 4 } },
  targets: { main: { callsPerSecondMax: { PutImage: Infinity } } },
  mappings: [
    { from: ['docker.io/library/nginx', 'ghcr.io/team/**', 'oci:images'], to: 'm/{name}' },
  ],
};

function withMapping(mapping: Partial<SyncMapping>): SyncConfig {
  return { ...SOUND, mappings: [{ from: 'nginx', ...mapping }] };
}

describe('a configuration that a program made', () => {
  test('is taken if it is sound', () => {
    expect(checkSyncConfig(SOUND)).toBeUndefined();
    const mapping = { from: 'a', tags: { include: ['1.27'] }, createRepository: { tags: [] } };
    expect(checkSyncConfig(withMapping(mapping))).toBeUndefined();
    // Two mappings may write the same repository.
    const twice = {
      ...SOUND,
      mappings: [
        { from: 'a', to: 'xy' },
        { from: 'b', to: 'xy' },
      ],
    };
    expect(checkSyncConfig(twice)).toBeUndefined();
  });

  test.each<[string, unknown, string, RegExp]>([
    ['nothing', undefined, 'config', /expected fields, received nothing/],
    ['no mappings', { targets: { a: {} } }, 'mappings', /expected a list, received nothing/],
    ['a version, as files have it', { ...SOUND, version: 1 }, 'version', /is no field here/],
    ['defaults, as files have them', { ...SOUND, defaults: {} }, 'defaults', /is no field here/],
    ['no target', { ...SOUND, targets: {} }, 'targets', /at least one target/],
    [
      'a name of no target',
      withMapping({ targets: ['x'] }),
      'mappings[0].targets[0]',
      /not in targets, which has main/,
    ],
    [
      'a tag in from',
      withMapping({ from: 'nginx:1' }),
      'mappings[0].from',
      /a repository without tag/,
    ],
    [
      'a digest in from',
      withMapping({ from: `a@sha256:${'0'.repeat(64)}` }),
      'mappings[0].from',
      /received a digest/,
    ],
    [
      'an empty list',
      withMapping({ from: [] }),
      'mappings[0].from',
      /at least 1 of them, received an empty list/,
    ],
    [
      'a bad expression',
      withMapping({ tags: { regex: ['['] } }),
      'mappings[0].tags.regex[0]',
      /regular expression/,
    ],
    [
      'an escape that means nothing',
      withMapping({ tags: { regex: ['\\z'] } }),
      'mappings[0].tags.regex[0]',
      /regular expression/,
    ],
    [
      'brackets that only the anchors would close',
      withMapping({ tags: { regex: ['a)|(b'] } }),
      'mappings[0].tags.regex[0]',
      /regular expression/,
    ],
    ['a bad range', withMapping({ tags: { semver: 'new' } }), 'mappings[0].tags.semver', /range/],
    [
      'an open bracket',
      withMapping({ tags: { exclude: ['a[b'] } }),
      'mappings[0].tags.exclude[0]',
      /glob/,
    ],
    [
      'an open brace',
      withMapping({ immutableTags: ['{a,b'] }),
      'mappings[0].immutableTags[0]',
      /glob/,
    ],
    [
      'part of a tag',
      withMapping({ tags: { newest: 1.5 } }),
      'mappings[0].tags.newest',
      /a whole number, received 1.5/,
    ],
    [
      'a platform without architecture',
      withMapping({ platforms: ['linux'] }),
      'mappings[0].platforms[0]',
      /os\/architecture/,
    ],
    [
      'an unknown placeholder',
      withMapping({ to: '{nme}' }),
      'mappings[0].to',
      /\{nme\} stands for nothing/,
    ],
    [
      'a name that ECR does not take',
      withMapping({ to: 'a', from: 'nginx' }),
      'mappings[0].to',
      /gives "a"/,
    ],
    [
      'an expression without end',
      withMapping({ tags: { regex: ['a'.repeat(2000)] } }),
      'mappings[0].tags.regex[0]',
      /at most 1000/,
    ],
    [
      'an endpoint that is no URL',
      { ...SOUND, targets: { a: { endpoint: 'localhost' } } },
      'targets.a.endpoint',
      /URL/,
    ],
  ])('%s is refused', (_what, config, option, problem) => {
    expect(() => checkSyncConfig(config as SyncConfig)).toThrow(
      expect.objectContaining({
        code: 'E_OPTION_INVALID',
        details: expect.objectContaining({ option }) as unknown,
        message: expect.stringMatching(problem) as string,
      }),
    );
  });
});
