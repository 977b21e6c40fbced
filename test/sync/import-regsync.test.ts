import { describe, expect, test } from 'vitest';
import { parseSyncConfig } from '../../src/sync/config-file.ts';
import { importRegsync } from '../../src/sync/import-regsync.ts';
import type { SyncMapping } from '../../src/sync/sync-config.ts';

const ECR = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';

/** In the shape of the examples of regsync's documentation. */
const FILE = String.raw`
x-repository: &repository
  type: repository
  backup: "old-{{.Ref.Tag}}"
version: 1
creds:
  - registry: registry.example.org
    user: syncuser
    pass: 'hush hush'
    tls: disabled
    reqConcurrent: 5
  - registry: docker.io
    user: youruser
    pass: "{{file \"/var/run/secrets/token\"}}"
  - registry: ghcr.io
    user: me
    pass: '{{env "GHCR_TOKEN"}}'
    regcert: |
      -----BEGIN CERTIFICATE-----
defaults:
  ratelimit: { min: 20, retry: 15m }
  parallel: 3
  interval: 60m
  referrers: true
sync:
  - source: busybox:latest
    target: ${ECR}/library/busybox:latest
    type: image
    platform: linux/amd64
    schedule: "15 01 * * *"
  - source: alpine
    target: registry.example.org/library/alpine
    type: repository
    tagSets:
      - allow: [latest, 3, 3.10, "3\\.\\d+"]
        deny: ["3\\.0", ".*-rc.*"]
      - semverRange: [">=3.5.1 <4.0", "5"]
        allow: ['v\d+\.\d+\.\d+']
  - <<: *repository
    source: ghcr.io/regclient/regctl
    target: ${ECR}/mirror/{{ .Sync.Source }}
    tags:
      allow: [latest, "v[0-9\\.]+"]
      deny: ["v0\\..*|v1"]
    referrers: false
    fastCopy: true
  - source: quay.io
    target: 123456789012.dkr-ecr.us-east-1.on.aws/quay
    type: registry
    repos: { allow: ["team/.*", one/app] }
`;

describe('a file of regsync', () => {
  const { text, notes } = importRegsync(FILE);

  test('becomes one of ours', () => {
    expect(text).toMatchInlineSnapshot(`
      "# Made of a file of regsync.
      # defaults: ratelimit: longshore pauses when the source registry says that its limit is reached
      # defaults: parallel: how much runs at once is said on the command line
      # defaults: interval: runs are repeated by longshore sync --watch

      version: 1
      registries:
        # the password was not copied: put it into REGISTRY_EXAMPLE_ORG_PASSWORD
        registry.example.org:
          credentials:
            username: syncuser
            passwordEnv: REGISTRY_EXAMPLE_ORG_PASSWORD
          plainHttp: true
          requestsInFlight: 5
        # the password was not copied: put it into DOCKER_IO_PASSWORD
        docker.io:
          credentials:
            username: youruser
            passwordEnv: DOCKER_IO_PASSWORD
        # regcert: write the certificate into a file and name it in certificateAuthorityFile
        ghcr.io:
          credentials:
            username: me
            passwordEnv: GHCR_TOKEN
      targets:
        123456789012-eu-west-1:
          region: eu-west-1
          registryId: "123456789012"
        # registry.example.org is not ECR: set the region and registryId of the ECR registry to fill instead (000000000000 is none)
        registry.example.org:
          registryId: "000000000000"
        123456789012-us-east-1:
          region: us-east-1
          registryId: "123456789012"
      mappings:
        # schedule: runs are repeated by longshore sync --watch, or by cron
        - from: busybox
          to: library/busybox
          targets:
            - 123456789012-eu-west-1
          tags:
            include:
              - latest
          platforms:
            - linux/amd64
          referrers: true
        # the dots of 3.10 are taken for dots
        - from: alpine
          to: library/alpine
          targets:
            - registry.example.org
          tags:
            include:
              - latest
              - "3"
              - "3.10"
            regex:
              - 3\\.\\d+
            exclude:
              - "3.0"
              - "*-rc*"
          referrers: true
        # more is taken than by regsync: allow v\\d+\\.\\d+\\.\\d+ would have to hold beside semver
        - from: alpine
          to: library/alpine
          targets:
            - registry.example.org
          tags:
            semver: ">=3.5.1 <4.0.0 || =5.0.0"
            prereleases: true
          referrers: true
        # backup: has no counterpart: tags in the target are overwritten, or immutable there
        # fastCopy: has no counterpart: what is there is not copied again
        # v0\\..*|v1: regsync anchors only its first and last alternative, and so it is kept
        - from: ghcr.io/regclient/regctl
          to: mirror/ghcr.io/regclient/regctl
          targets:
            - 123456789012-eu-west-1
          tags:
            regex:
              - (?!(?:.*(?:^v0\\..*|v1$).*)$)(?:latest)
              - (?!(?:.*(?:^v0\\..*|v1$).*)$)(?:v[0-9\\.]+)
        - from:
            - quay.io/team/**
            - quay.io/one/app
          to: quay/{repository}
          targets:
            - 123456789012-us-east-1
          referrers: true
      "
    `);
  });

  test('with registries of ECR as targets, and others to be filled in', () => {
    expect(parseSyncConfig(text).targets).toEqual({
      '123456789012-eu-west-1': { region: 'eu-west-1', registryId: '123456789012' },
      'registry.example.org': { registryId: '000000000000' },
      '123456789012-us-east-1': { region: 'us-east-1', registryId: '123456789012' },
    });
  });

  test('without the password', () => {
    expect(text + notes.join('')).not.toContain('hush');
    const { registries } = parseSyncConfig(text);
    expect(registries?.['ghcr.io']?.credentials?.passwordEnv).toBe('GHCR_TOKEN');
    expect(registries?.['docker.io']?.credentials?.passwordEnv).toBe('DOCKER_IO_PASSWORD');
  });

  test('and every note is a comment in it', () => {
    const comments = text.split('\n').filter((line) => line.trim().startsWith('#'));
    for (const note of notes) {
      expect(comments.some((line) => note.endsWith(line.replace(/^\s*# /, '')))).toBe(true);
    }
    expect(notes.length).toBe(comments.length - 1);
  });
});

/** What becomes of one entry, beside a sound one. */
function importEntry(fields: Readonly<Record<string, unknown>>): {
  readonly mappings: readonly SyncMapping[];
  readonly notes: string;
} {
  const sound = { source: 'sound', target: `${ECR}/sound`, type: 'repository' };
  const entry = { source: 'a', target: `${ECR}/aa`, type: 'repository', ...fields };
  const { text, notes } = importRegsync(JSON.stringify({ sync: [sound, entry] }));
  return { mappings: parseSyncConfig(text).mappings.slice(1), notes: notes.join('\n') };
}

describe('an entry that cannot be said is left out, and told', () => {
  test.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    [
      'another tag in the target',
      { type: 'image', source: 'a:1', target: `${ECR}/aa:2` },
      /keeps tags/,
    ],
    ['a template', { source: '{{ env "X" }}' }, /templates are not expanded/],
    ['tags by template', { targetTag: '{{ .Source.Tag }}-x' }, /targetTag/],
    ['a layout to write', { target: 'ocidir://x' }, /layouts are no targets/],
    ['a star', { source: 'quay.io/team/*' }, /is no name/],
    ['an unknown type', { type: 'team' }, /type team is not known/],
    ['a digest', { type: 'image', source: `a@sha256:${'0'.repeat(64)}` }, /digest/],
    [
      'repositories that are denied',
      { type: 'registry', source: 'quay.io', repos: { deny: ['x'] } },
      /repos: deny x/,
    ],
    [
      'repositories by expressions',
      { type: 'registry', source: 'quay.io', repos: { allow: ['x+'] } },
      /repos: allow x\+/,
    ],
    ['an expression with flags', { tags: { allow: ['(?i)x'] } }, /allow \(\?i\)x/],
    ['a denied expression with flags', { tags: { deny: ['(?i)x'] } }, /deny \(\?i\)x/],
    ['a range that is none', { tags: { semverRange: ['new'] } }, /semverRange new/],
  ])('%s', (_what, fields, note) => {
    const { mappings, notes } = importEntry(fields);
    expect(mappings).toEqual([]);
    expect(notes).toMatch(/left out/);
    expect(notes).toMatch(note);
  });
});

describe('what an entry takes', () => {
  test.each<[string, Readonly<Record<string, unknown>>, Partial<SyncMapping>]>([
    ['all tags', {}, { from: 'a', to: 'aa' }],
    [
      'a layout',
      { source: 'ocidir://x/y:1', target: `${ECR}/aa:1`, type: 'image' },
      { from: 'oci:x/y', tags: { include: ['1'] } },
    ],
    [
      'all repositories',
      { source: 'quay.io', target: ECR, type: 'registry' },
      { from: 'quay.io/**' },
    ],
    [
      'denied tags, as globs',
      { tags: { deny: ['rc', '.*-rc.+'] } },
      { tags: { exclude: ['rc', '*-rc?*'] } },
    ],
    [
      'denied tags, where globs do not do',
      { tags: { deny: ['[ab]'] } },
      { tags: { regex: ['(?!(?:[ab])$).*'] } },
    ],
    [
      'alternatives as regsync anchors them',
      { tags: { allow: ['a|b'] } },
      { tags: { regex: ['.*(?:^a|b$).*'] } },
    ],
    [
      'platforms, but for the local one',
      { platforms: ['linux/arm64', 'local'] },
      { platforms: ['linux/arm64'] },
    ],
  ])('%s', (_what, fields, mapping) => {
    expect(importEntry(fields).mappings).toEqual([expect.objectContaining(mapping)]);
  });

  test('is told where it is more than regsync took', () => {
    const { notes, mappings } = importEntry({
      tags: { semverRange: ['~3'], allow: ['3.*'], deny: ['[x]'] },
    });
    expect(notes).toMatch(/more is taken than by regsync: allow 3\.\*/);
    expect(notes).toMatch(/more is taken than by regsync: deny \[x\]/);
    expect(mappings).toEqual([
      expect.objectContaining({ tags: { semver: '~3.0.0', prereleases: true } }),
    ]);
  });

  test('is told by name where a field is unknown', () => {
    expect(importEntry({ hooks: { pre: 'hush' }, colour: 'hush' }).notes).toMatch(
      /a: hooks has no counterpart\na: colour has no counterpart/,
    );
  });
});

test.each([
  ['nothing', ''],
  ['no entry', 'version: 1'],
  ['another version', 'version: 2\nsync: [{source: a, target: b, type: repository}]'],
  ['broken YAML', 'sync: ['],
])('%s is refused', (_what, text) => {
  expect(() => importRegsync(text)).toThrow(expect.objectContaining({ code: 'E_CONFIG_INVALID' }));
});
