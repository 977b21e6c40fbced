import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LongshoreError } from '../../src/errors.ts';
import { repositoryNameFor, templateProblem } from '../../src/sync/repository-name.ts';

const NGINX = { registry: 'docker.io', repository: 'library/nginx' };
/** ECR's own pattern (service model). */
const ECR_NAME = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;

describe('the name that a template gives', () => {
  test.each<[string, { registry: string; repository: string }, string]>([
    ['{repository}', NGINX, 'library/nginx'],
    ['mirror/{registry}/{repository}', NGINX, 'mirror/docker.io/library/nginx'],
    ['{namespace}-{name}', NGINX, 'library-nginx'],
    ['{namespace}/x', { registry: 'r.io', repository: 'a/b/c' }, 'a/b/x'],
    ['{registry}/{name}', { registry: 'localhost:5000', repository: 'app' }, 'localhost-5000/app'],
    ['{registry}/{name}', { registry: '[::1]:5000', repository: 'app' }, '1-5000/app'],
    [
      '{registry}/{name}',
      { registry: 'Registry.Example.COM', repository: 'app' },
      'registry.example.com/app',
    ],
    ['m/{namespace}/{name}', { registry: 'ghcr.io', repository: 'app' }, 'm/app'],
    ['{registry}/{name}', { registry: '', repository: 'images' }, 'images'],
    ['{name}', { registry: '', repository: 'My  Images_' }, 'my-images'],
    ['fixed', NGINX, 'fixed'],
  ])('%s of %j is %s', (template, source, name) => {
    expect(repositoryNameFor(template, source)).toBe(name);
  });

  test.each([
    ['of one character', '{name}', 'a'],
    ['of nothing', '{namespace}', 'app'],
    ['of 257 characters', `${'x'.repeat(254)}/{name}`, 'ab'],
    ['with separators side by side', 'a.-{name}', 'app'],
    ['with a separator at its end', 'a-{namespace}', 'app'],
  ])('a name %s is refused, and both are shown', (_what, template, repository) => {
    expect(() => repositoryNameFor(template, { registry: 'r.io', repository })).toThrow(
      expect.objectContaining({
        code: 'E_OPTION_INVALID',
        message: expect.stringContaining(`${template}, which gives "`) as string,
      }),
    );
  });
});

describe('a template that cannot be', () => {
  test.each([
    ['{tag}', /\{tag\} stands for nothing; expected one of \{registry\}, \{repository\}/],
    ['{}', /\{\} stands for nothing/],
    ['a{name', /brace/],
    ['name}', /brace/],
    ['', /empty part/],
    ['a//b', /empty part/],
    ['/{name}', /empty part/],
    ['{name}/', /empty part/],
    ['A/{name}', /lower-case/],
    ['{name}:1', /lower-case/],
  ])('%s', (template, problem) => {
    expect(templateProblem(template)).toMatch(problem);
    expect(() => repositoryNameFor(template, NGINX)).toThrow(problem);
  });
});

test('whatever the host and folder are called, what comes out is a name that ECR takes, or an error', () => {
  const part = fc.string({ maxLength: 12 });
  const outcomes: string[] = [];
  fc.assert(
    fc.property(part, part, part, (registry, namespace, name) => {
      const source = { registry, repository: `${namespace}/${name}` };
      let outcome: string;
      try {
        outcome = repositoryNameFor('{registry}/{repository}', source);
      } catch (error) {
        if (!LongshoreError.is(error, 'E_OPTION_INVALID')) throw error;
        outcome = 'refused';
      }
      outcomes.push(outcome);
      expect(outcome).toMatch(ECR_NAME);
      expect(outcome.length).toBeGreaterThan(1);
    }),
  );
  expect(outcomes.filter((outcome) => outcome !== 'refused').length).toBeGreaterThan(10);
});
