import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostOptionsOf, parseRepositoryTarget } from '../../src/cli/repository-target.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { DIGEST } from './fake-uploader.ts';

const HOST = '123456789012.dkr.ecr.eu-central-1.amazonaws.com';

test.each([
  ['app', 'app', undefined, undefined],
  ['team/app:1.0', 'team/app', '1.0', undefined],
  ['team.a/app__x:_v', 'team.a/app__x', '_v', undefined],
  [`team/app@${DIGEST}`, 'team/app', undefined, DIGEST],
  [`team/app:1@${DIGEST}`, 'team/app', '1', DIGEST],
  [`${HOST}/team/app:1`, 'team/app', '1', undefined],
])('%s is read', (text, repository, tag, digest) => {
  expect(parseRepositoryTarget(text)).toMatchObject({ repository, tag, digest });
});

test.each([
  ['', 'expected a repository'],
  ['Team/App', 'lower case'],
  ['team/app:', 'is no tag'],
  ['team/app:.1', 'is no tag'],
  [`team/app:${'a'.repeat(129)}`, 'is no tag'],
  ['team/app@sha256:12', '64 lower-case'],
  [`team/app@${DIGEST}@${DIGEST}`, '64 lower-case'],
  ['127.0.0.1:4566/team/app:1', '--endpoint-url'],
  ['public.ecr.aws/alias/app', 'ECR Public'],
  [`${HOST}/`, 'expected a repository'],
])('%s is refused', (text, message) => {
  expect(() => parseRepositoryTarget(text)).toThrow(UsageError);
  expect(() => parseRepositoryTarget(text)).toThrow(message);
});

describe('the host of a registry', () => {
  const optionsOf = (host: string, flags = {}) =>
    hostOptionsOf(parseRepositoryTarget(`${host}/a/b`).host, flags);

  test('says account and region', () => {
    expect(optionsOf(HOST)).toEqual({ region: 'eu-central-1', registryId: '123456789012' });
    expect(optionsOf(HOST, { region: 'eu-central-1' })).toMatchObject({ region: 'eu-central-1' });
  });

  test.each([
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', {}],
    ['123456789012.dkr.ecr-fips.us-east-1.amazonaws.com', { useFipsEndpoint: true }],
    ['123456789012.dkr-ecr.us-west-2.on.aws', { useDualstackEndpoint: true }],
  ])('%s is one too', (host, client) => {
    const { client: found = {} } = optionsOf(host);
    expect(found).toEqual(client);
  });

  test('must not contradict the options', () => {
    expect(() => optionsOf(HOST, { region: 'us-east-1' })).toThrow(UsageError);
    expect(() => optionsOf(HOST, { registryId: '000000000000' })).toThrow(/--registry-id/);
  });
});

test('whatever the word, there is an answer or a usage error', () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^[a-zA-Z0-9.:/@_-]{0,80}$/),
    fc
      .array(fc.constantFrom(HOST, '/', ':', '@', 'a', 'sha256:', DIGEST, '.', 'latest'))
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(word, (text) => {
      try {
        const { repository, tag = '' } = parseRepositoryTarget(text);
        expect(repository).not.toMatch(/[:@\s]/);
        expect(tag.length).toBeLessThanOrEqual(128);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
