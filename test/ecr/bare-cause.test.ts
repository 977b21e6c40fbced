import { inspect } from 'node:util';
import { ECRServiceException } from '@aws-sdk/client-ecr';
import { expect, test } from 'vitest';
import { bareCause } from '../../src/ecr/bare-cause.ts';
import { toRegistryFault } from '../../src/ecr/ecr-fault.ts';

const CONTEXT = { operation: 'PutImage', repository: 'team/app' };

/** As the SDK does it: out of sight, and for good. */
function withReply<Failure extends Error>(error: Failure): Failure {
  const request = { headers: { authorization: 'AWS4-HMAC-SHA256 hush' } };
  Object.defineProperty(error, '$response', {
    value: { statusCode: 400, headers: { 'retry-after': '3' }, body: { req: request } },
  });
  return error;
}

function sdkError(): ECRServiceException {
  return withReply(
    new ECRServiceException({
      name: 'ThrottlingException',
      message: 'Rate exceeded',
      $fault: 'client',
      $metadata: { httpStatusCode: 400, requestId: 'r' },
    }),
  );
}

const everythingOf = (value: unknown): string => inspect(value, { showHidden: true, depth: 50 });

test('an error of the SDK loses its reply as a cause, and nothing else', () => {
  const error = sdkError();
  const bare = bareCause(error);
  expect(everythingOf(error)).toContain('hush');
  expect(everythingOf(bare)).not.toContain('hush');
  expect(bare).toBeInstanceOf(ECRServiceException);
  expect(bare).toMatchObject({ name: error.name, message: error.message, stack: error.stack });
  expect(bare).toMatchObject({ $metadata: { httpStatusCode: 400, requestId: 'r' } });
});

test('the error behind an error loses it as well', () => {
  const outer = new Error('no credentials', { cause: new Error('no role', { cause: sdkError() }) });
  const bare = bareCause(outer);
  expect(everythingOf(bare)).not.toContain('hush');
  expect(everythingOf(bare)).toContain('Rate exceeded');
  expect(everythingOf(outer)).toContain('hush');
});

test.each([new Error('plain'), 'a text', undefined])('%s stays what it is', (thrown) => {
  expect(bareCause(thrown)).toBe(thrown);
});

test('causes that go in a circle come to an end', () => {
  const error = sdkError();
  error.cause = error;
  expect(everythingOf(bareCause(error))).toContain('Rate exceeded');
});

test('what the reply says is still taken from it', () => {
  const fault = toRegistryFault(sdkError(), CONTEXT);
  expect(fault).toMatchObject({ kind: 'throttled', retryAfterMs: 3000 });
  expect(everythingOf(fault)).not.toContain('hush');
});

test.each(['constructor', '__proto__', 'toString'])(
  'an error that calls itself %s is one that nobody knows',
  (name) => {
    const error = Object.assign(new Error('strange'), { $metadata: { httpStatusCode: 400 } });
    Object.defineProperty(error, 'name', { value: name });
    expect(toRegistryFault(error, CONTEXT).error).toMatchObject({ code: 'E_REQUEST_INVALID' });
  },
);

test('an error among several side by side loses its reply too', () => {
  const several = new AggregateError([sdkError(), new Error('another')], 'both');
  const bare = bareCause(new Error('outer', { cause: several })) as { cause: AggregateError };
  expect(everythingOf(bare)).not.toContain('hush');
  expect(bare.cause).toBeInstanceOf(AggregateError);
  expect(bare.cause.errors).toMatchObject([{ name: 'ThrottlingException' }, several.errors[1]]);
});

test('a copy keeps the stack, whatever kind of member that is', () => {
  const error = sdkError();
  expect((bareCause(error) as Error).stack).toMatch(/ThrottlingException|Error/);
  expect((bareCause(error) as Error).stack).toBe(error.stack);
});
