import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseImageLocation } from '../../src/cli/image-location.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { DIGEST } from './fake-uploader.ts';

const WORLD = { exists: (path: string) => path.startsWith('here'), platform: 'linux' } as const;

test.each([
  ['-', { kind: 'archive', path: '-', format: undefined }],
  ['oci:out', { kind: 'layout', path: 'out', reference: undefined }],
  ['oci:out:v1', { kind: 'layout', path: 'out', reference: 'v1' }],
  ['oci-archive:a.tar', { kind: 'archive', path: 'a.tar', format: 'oci' }],
  [
    'docker-archive:a.tar:host/app:1',
    { kind: 'archive', path: 'a.tar', format: 'docker', reference: 'host/app:1' },
  ],
  ['docker-archive:-', { kind: 'archive', path: '-', format: 'docker' }],
  ['docker://alpine', { kind: 'registry', reference: 'alpine' }],
  ['docker://ghcr.io/team/app:1', { kind: 'registry', reference: 'ghcr.io/team/app:1' }],
  ['here', { kind: 'local', path: 'here' }],
  ['here:1', { kind: 'local', path: 'here:1' }],
  ['alpine:3.20', { kind: 'registry', reference: 'alpine:3.20' }],
  [`alpine@${DIGEST}`, { kind: 'registry', reference: `alpine@${DIGEST}` }],
  ['ghcr.io/team/app', { kind: 'registry', reference: 'ghcr.io/team/app' }],
  ['localhost:5000/app', { kind: 'registry', reference: 'localhost:5000/app' }],
])('%s is found', (text, location) => {
  expect(parseImageLocation(text, WORLD)).toMatchObject(location);
});

test.each([
  ['build/app.tar', 'no such file or folder, and no image reference'],
  ['alpine', 'docker://NAME'],
  ['./alpine:3', 'no such file'],
  ['/tmp/a.tar', 'no such file'],
  ['', 'no such file'],
  ['docker://', 'needs a reference'],
  ['oci:', 'oci:PATH'],
  ['oci-archive:a.tar:', 'oci-archive:PATH:REFERENCE'],
  ['docker-archive:a.tar:@0', '--image-digest'],
  ['docker-daemon:app:1', 'not supported'],
])('%s is refused with what was tried', (text, message) => {
  expect(() => parseImageLocation(text, WORLD)).toThrow(UsageError);
  expect(() => parseImageLocation(text, WORLD)).toThrow(message);
});

test('a drive letter is no end of a path on Windows', () => {
  const world = { ...WORLD, platform: 'win32' } as const;
  expect(parseImageLocation('oci:C:\\out:v1', world)).toMatchObject({
    path: 'C:\\out',
    reference: 'v1',
  });
});

test('whatever the word, there is an answer or a usage error', () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^[a-zA-Z0-9.:/@_\\~-]{0,80}$/),
    fc
      .array(fc.constantFrom('oci:', 'docker://', 'docker-archive:', 'here', ':', '@', '/', 'C:\\'))
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(word, fc.constantFrom('linux', 'win32'), (text, platform) => {
      try {
        const location = parseImageLocation(text, { ...WORLD, platform });
        expect('path' in location ? location.path : location.reference).not.toBe('');
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
