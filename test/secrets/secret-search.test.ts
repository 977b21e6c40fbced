import { expect, test } from 'vitest';
import { expectNoSecret } from './secret-search.ts';

const SECRET = 'hush-hush/hush';

function hidden(): Error {
  const error = new Error('harmless');
  Object.defineProperty(error, Symbol('reply'), { value: { list: [new Map([['a', SECRET]])] } });
  return new Error('outer', { cause: error });
}

test.each([
  ['a text', `the password is ${SECRET}`],
  ['a member out of sight', hidden()],
  ['bytes', { body: Buffer.from(SECRET) }],
  ['a URL', { url: `http://me:${encodeURIComponent(SECRET)}@x` }],
  ['a login', { header: Buffer.from(`me:${SECRET}`).toString('base64') }],
  ['a login of another length', { header: Buffer.from(`you:${SECRET}`).toString('base64') }],
  ['a name', { [SECRET]: 1 }],
])('a secret in %s is found', (_where, value) => {
  expect(() => expectNoSecret(value, [SECRET])).toThrow('equal');
});

test('a signed request is found, whoever has signed', () => {
  expect(() => expectNoSecret({ authorization: 'AWS4-HMAC-SHA256 x' }, [])).toThrow('undefined');
});

test('where there is none, there is none', () => {
  expectNoSecret({ message: 'hush', cause: new Error('hush-hush') }, [SECRET]);
});
