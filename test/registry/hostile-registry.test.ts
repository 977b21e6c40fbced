import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LongshoreError } from '../../src/errors.ts';
import { RegistryClient } from '../../src/registry/registry-client.ts';
import { digestOf, startRegistry } from './fake-registry.ts';
import { quiet, testSurroundings } from './test-surroundings.ts';

const digest = digestOf(Buffer.from('x'));

const status = fc.constantFrom(200, 206, 204, 301, 307, 400, 401, 403, 404, 416, 429, 500, 503);
const header = fc.constantFrom<readonly [string, string]>(
  ['content-type', 'application/json'],
  ['content-type', 'application/vnd.oci.image.index.v1+json'],
  ['content-type', 'text/html'],
  ['location', '/v2/'],
  ['location', ':'],
  ['www-authenticate', 'Bearer realm="/token"'],
  ['www-authenticate', 'Bearer realm="http://127.0.0.1:1/token",scope=""'],
  ['www-authenticate', 'Bearer realm="http://HOST/hostile"'],
  ['www-authenticate', 'Basic'],
  ['www-authenticate', '"'],
  ['retry-after', '-1'],
  ['retry-after', 'never'],
  ['ratelimit-reset', '1e9'],
  ['link', '<?>; rel=next'],
  ['link', '<http://[>; rel=next'],
  ['content-range', 'bytes 0-0/1'],
  ['content-range', 'bytes */*'],
  ['docker-content-digest', 'sha256:0'],
  ['docker-content-digest', digestOf(Buffer.from('y'))],
);
const body = fc.oneof(
  fc.constantFrom('', 'x', '{}', 'null', '[]', '{"errors":[null]}', '{"errors":{}}', '{"tags":[]}'),
  fc.constantFrom('{"manifests":[{}]}', '{"manifests":null}', '{"token":""}', '{"token":"a\\nb"}'),
  fc.string({ maxLength: 20 }),
);
const answer = fc.record({ status, headers: fc.array(header, { maxLength: 4 }), body });

test('whatever a registry answers, what is thrown is ours', async () => {
  await using registry = await startRegistry();
  await fc.assert(
    fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 8 }), async (answers) => {
      const reply = { registryAnswers: 0 };
      // The same answers over and over: no call may find the fake's own behind them.
      const refill = (): void => {
        registry.answers.splice(0);
        for (let count = 0; count < 100; count += 1) {
          registry.answers.push((_request, response) => {
            const next = answers[(reply.registryAnswers += 1) % answers.length];
            const headers = (next?.headers ?? []).map(([name, value]) => [
              name,
              value.replace('HOST', registry.host),
            ]);
            response.writeHead(next?.status ?? 500, Object.fromEntries(headers));
            response.end(next?.body);
          });
        }
      };
      const options = { proxy: 'none', attemptsMax: 2 } as const;
      const client = new RegistryClient(registry.host, options, testSurroundings());
      const blob = { digest, sizeBytes: 1 };
      const calls = [
        () => client.getManifest('a', 'v1', quiet()),
        () => client.getManifest('a', digest, quiet()),
        () => client.headManifest('a', 'v1', quiet()),
        () => client.referrers('a', digest, quiet()),
        () => client.listTags('a', {}, quiet()).next(),
        async () => (await client.openBlob('a', blob, quiet())).read(new Uint8Array(2), quiet()),
      ];
      for (const call of calls) {
        refill();
        const before = registry.requests.length;
        const error: unknown = await call().then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (error !== undefined && !LongshoreError.is(error)) throw error;
        // Attempts, logins and redirects together.
        expect(registry.requests.length - before).toBeLessThan(100);
      }
      await client.close();
    }),
    { numRuns: 150 },
  );
});
