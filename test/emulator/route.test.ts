import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RegistryFailure } from '../../src/emulator/distribution/registry-failure.ts';
import { isDistribution, routeOf } from '../../src/emulator/distribution/route.ts';
import type { Endpoint } from '../../src/emulator/distribution/route.ts';
import { digestOf } from './fixture.ts';

const DIGEST = digestOf('x');
const UPLOAD_ID = '6cb64b8a-9378-0e33-90c3-7ea1e7ad2a6f';

// Words of the API may be names too, so they are over-represented.
const word = fc.oneof(
  fc.constantFrom(
    'tags',
    'list',
    'manifests',
    'blobs',
    'uploads',
    'referrers',
    'v2',
    'a.b',
    'c__d',
  ),
  fc.stringMatching(/^[a-z0-9]{1,8}$/),
);
const repositoryName = fc
  .array(word, { minLength: 1, maxLength: 6 })
  .map((words) => words.join('/'))
  .filter((name) => name.length > 1);
const imageTag = fc.oneof(word, fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/));

describe('a path', () => {
  test('leads to its endpoint, whatever words the name is made of', () => {
    fc.assert(
      fc.property(repositoryName, imageTag, (name, tag) => {
        const paths: readonly (readonly [string, string, Endpoint])[] = [
          ['GET', 'tags/list', { kind: 'tags', repositoryName: name }],
          [
            'PUT',
            `manifests/${tag}`,
            { kind: 'manifest', repositoryName: name, reference: { imageTag: tag } },
          ],
          [
            'HEAD',
            `manifests/${encodeURIComponent(DIGEST)}`,
            { kind: 'manifest', repositoryName: name, reference: { imageDigest: DIGEST } },
          ],
          ['GET', `blobs/${DIGEST}`, { kind: 'blob', repositoryName: name, digest: DIGEST }],
          ['POST', 'blobs/uploads/', { kind: 'upload-start', repositoryName: name }],
          ['POST', 'blobs/uploads', { kind: 'upload-start', repositoryName: name }],
          [
            'PATCH',
            `blobs/uploads/${UPLOAD_ID}`,
            { kind: 'upload', repositoryName: name, uploadId: UPLOAD_ID },
          ],
          [
            'GET',
            `referrers/${DIGEST}`,
            { kind: 'referrers', repositoryName: name, digest: DIGEST },
          ],
        ];
        for (const [method, path, endpoint] of paths) {
          expect(routeOf(method, `/v2/${name}/${path}?n=5`)).toMatchObject({ endpoint });
        }
      }),
    );
  });

  test('of any text is a route or a clean refusal', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '..',
        '%',
        '%2f',
        '%00',
        '//',
        'blobs',
        'uploads',
        'manifests',
        'sha256:',
        '?',
      ),
    );
    fc.assert(
      fc.property(fc.constantFrom('GET', 'PUT', 'x'), fc.array(piece), (method, pieces) => {
        const found = routeOf(method, `/v2/${pieces.join('/')}`);
        if (!(found instanceof RegistryFailure)) return;
        expect([400, 404, 405]).toContain(found.statusCode);
      }),
    );
  });

  test.each([
    ['/v2/../manifests/x', 400, 'NAME_INVALID'],
    ['/v2/a%2Fb/manifests/x', 400, 'NAME_INVALID'],
    ['/v2/%zz/manifests/x', 400, 'NAME_INVALID'],
    ['/v2/UPPER/manifests/x', 400, 'NAME_INVALID'],
    ['/v2//manifests/x', 400, 'NAME_INVALID'],
    [`/v2/${'a'.repeat(257)}/manifests/x`, 400, 'NAME_INVALID'],
    ['/v2/name/manifests/', 404, 'UNSUPPORTED'],
    ['/v2/name/manifests/-x', 400, 'TAG_INVALID'],
    ['/v2/name/manifests/sha256:12', 400, 'DIGEST_INVALID'],
    ['/v2/name/blobs/nonsense', 400, 'DIGEST_INVALID'],
    ['/v2/name/blobs/sha512:00', 400, 'DIGEST_INVALID'],
    ['/v2/name/referrers/latest', 400, 'DIGEST_INVALID'],
    ['/v2/name', 404, 'UNSUPPORTED'],
    ['/v2/_catalog/x', 404, 'UNSUPPORTED'],
    ['/v2/name/tags/list/', 404, 'UNSUPPORTED'],
  ])('%s is refused', (path, statusCode, code) => {
    expect(routeOf('GET', path)).toMatchObject({ statusCode, code });
  });

  test('of an endpoint that has no such method is refused with those it has', () => {
    expect(routeOf('DELETE', `/v2/name/blobs/${DIGEST}`)).toMatchObject({
      statusCode: 405,
      code: 'UNSUPPORTED',
      headers: { allow: 'GET, HEAD' },
    });
    expect(routeOf('__proto__', '/v2/')).toMatchObject({ statusCode: 405 });
  });

  test('belongs to the distribution API if it begins with its version', () => {
    expect(['/v2', '/v2/', '/v2?x', '/v2/a'].every((path) => isDistribution(path))).toBe(true);
    expect(['/', '/v2x', '/layers/v2/', ''].some((path) => isDistribution(path))).toBe(false);
  });
});
