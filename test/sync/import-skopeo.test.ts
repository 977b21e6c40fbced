import { describe, expect, test } from 'vitest';
import { parseSyncConfig } from '../../src/sync/config-file.ts';
import { importSkopeo } from '../../src/sync/import-skopeo.ts';

/** In the shape of the example of skopeo-sync(1). */
const FILE = String.raw`
registry.example.com:
  images:
    busybox: []
    redis: ["1.0", 2.0, sha256:${'0123456789abcdef'.repeat(4)}]
  images-by-tag-regex:
    nginx: ^1\.13\.[12]-alpine-perl$
  images-by-semver:
    alpine: ">= 3.12.0, < 4"
  credentials:
    username: john
    password: hush hush
  tls-verify: true
  cert-dir: /home/john/certs
quay.io:
  tls-verify: false
  images:
    coreos/etcd: [latest]
`;

describe('a file of skopeo sync', () => {
  const { text, notes } = importSkopeo(FILE);

  test('becomes one of ours', () => {
    expect(text).toMatchInlineSnapshot(`
      "# Made of a file of skopeo.
      # skopeo without --all copies only its own platform: set platforms for the same
      # to: skopeo without --scoped keeps the last part of a name; for --scoped write {registry}/{repository}, and in front what its destination had after the host

      version: 1
      registries:
        # the password was not copied: put it into REGISTRY_EXAMPLE_COM_PASSWORD
        # cert-dir: put its *.crt files into one and name it in certificateAuthorityFile
        registry.example.com:
          credentials:
            username: john
            passwordEnv: REGISTRY_EXAMPLE_COM_PASSWORD
        # tls-verify: false has no counterpart: name the certificate in certificateAuthorityFile, or set plainHttp
        quay.io: {}
      targets:
        # skopeo has its destination on the command line: set region, registryId
        main: {}
      mappings:
        - from: registry.example.com/busybox
          to: "{name}"
        # sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef is no tag, and only tags are copied: an image by longshore push
        - from: registry.example.com/redis
          to: "{name}"
          tags:
            include:
              - "1.0"
              - "2.0"
        - from: registry.example.com/nginx
          to: "{name}"
          tags:
            regex:
              - 1\\.13\\.[12]-alpine-perl
        - from: registry.example.com/alpine
          to: "{name}"
          tags:
            semver: ">= 3.12.0 < 4"
        - from: quay.io/coreos/etcd
          to: "{name}"
          tags:
            include:
              - latest
      "
    `);
  });

  test('that says what it was', () => {
    expect(parseSyncConfig(text).mappings).toEqual([
      { from: 'registry.example.com/busybox', to: '{name}' },
      { from: 'registry.example.com/redis', to: '{name}', tags: { include: ['1.0', '2.0'] } },
      {
        from: 'registry.example.com/nginx',
        to: '{name}',
        tags: { regex: [String.raw`1\.13\.[12]-alpine-perl`] },
      },
      { from: 'registry.example.com/alpine', to: '{name}', tags: { semver: '>= 3.12.0 < 4' } },
      { from: 'quay.io/coreos/etcd', to: '{name}', tags: { include: ['latest'] } },
    ]);
  });

  test('without the password', () => {
    expect(text + notes.join('')).not.toContain('hush');
    expect(parseSyncConfig(text).registries?.['registry.example.com']?.credentials).toEqual({
      username: 'john',
      passwordEnv: 'REGISTRY_EXAMPLE_COM_PASSWORD',
    });
  });

  test('and every note is a comment in it', () => {
    const comments = text.split('\n').filter((line) => line.trim().startsWith('#'));
    for (const note of notes) {
      expect(comments.some((line) => note.endsWith(line.replace(/^\s*# /, '')))).toBe(true);
    }
    expect(notes.length).toBe(comments.length - 1);
  });
});

/** Notes for one registry beside a sound image. */
function notesOf(...lines: readonly string[]): string {
  const { text, notes } = importSkopeo(
    ['ghcr.io:', '  images: { app: [x] }', ...lines.map((line) => `  ${line}`)].join('\n'),
  );
  parseSyncConfig(text);
  return notes.join('\n');
}

describe('what cannot be said in our file is told', () => {
  test.each<[string, string, RegExp]>([
    [
      'an expression with flags',
      'images-by-tag-regex: { bb: (?i)rc }',
      /ghcr.io\/bb: left out: regex \(\?i\)rc/,
    ],
    ['a range with !=', 'images-by-semver: { bb: "!=1.2" }', /ghcr.io\/bb: left out: semver !=1.2/],
    [
      'an identity token',
      'credentials: { username: a, identitytoken: hush }',
      /credentials: identitytoken has no counterpart/,
    ],
    [
      'a field of another version',
      'images-by-name: { b: 1 }',
      /ghcr.io: images-by-name has no counterpart/,
    ],
  ])('%s', (_what, line, note) => {
    expect(notesOf(line)).toMatch(note);
    expect(notesOf(line)).not.toContain('hush');
  });

  test('images of digests only, names that are none, tags that are no list', () => {
    const { notes, text } = importSkopeo(
      `ghcr.io:\n  images: { app: [x], bb: ["sha256:${'0'.repeat(64)}"], "B b": [], cc: "1.0", "team/*": [] }`,
    );
    expect(notes).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^ghcr.io\/bb: left out: sha256:0+ is no tag/),
        expect.stringMatching(/^ghcr.io\/B b: left out: from: /),
        expect.stringMatching(/^ghcr.io\/cc: left out: expected a list of tags/),
        'ghcr.io/team/*: left out: is no name of a repository',
      ]),
    );
    expect(parseSyncConfig(text).mappings.length).toBe(1);
  });
});

test.each([
  ['nothing', ''],
  ['a list', '- a'],
  ['no images', 'ghcr.io: { images: {} }'],
  ['broken YAML', 'ghcr.io: {'],
])('%s is refused', (_what, text) => {
  expect(() => importSkopeo(text)).toThrow(expect.objectContaining({ code: 'E_CONFIG_INVALID' }));
});
