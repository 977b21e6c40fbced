import { describe, expect, test } from 'vitest';
import { LongshoreError } from '../../src/errors.ts';
import { LaneLost } from '../../src/layer/lane-lost.ts';
import { TransmissionError } from '../../src/layer/part-transmitter.ts';
import { RegistryFault } from '../../src/layer/ports.ts';
import {
  sourceChanged,
  sourceEmpty,
  sourceSilent,
  sourceUnreadable,
} from '../../src/layer/source-errors.ts';

describe('a source that cannot be read', () => {
  test('says why, and what the system calls it', () => {
    const cause = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    const error = sourceUnreadable('/a/blob', cause);
    expect(error).toMatchObject({
      code: 'E_SOURCE_UNREADABLE',
      message: 'cannot read /a/blob: no such file',
      cause,
    });
    expect(error.details).toStrictEqual({ source: '/a/blob', systemCode: 'ENOENT' });
  });

  test('says what may be done, where somebody knows', () => {
    const error = sourceUnreadable('a pipe', 'broken', 'mend it');
    expect(error.message).toBe('cannot read a pipe: broken; mend it');
    expect(error.details).toStrictEqual({ source: 'a pipe' });
  });

  test('leaves an error of our own as it is', () => {
    const cause = new LongshoreError('E_CLOSED', 'closed', {});
    expect(sourceUnreadable('a pipe', cause, 'mend it')).toBe(cause);
  });
});

test('a source that changed says what was expected and what was found', () => {
  expect(sourceChanged('a pipe', 7, 9)).toMatchObject({
    code: 'E_SOURCE_CHANGED',
    message:
      'a pipe changed while it was read, or is not what it was said to be: expected ' +
      '7 bytes, found 9; upload it again when nothing writes to it',
    details: { source: 'a pipe', expectedSizeBytes: 7, actualSizeBytes: 9 },
  });
});

test('a source that gave nothing says for how long, and what may be done', () => {
  expect(sourceSilent('a pipe', 70)).toMatchObject({
    code: 'E_SOURCE_UNREADABLE',
    message:
      'cannot read a pipe: it gave nothing for 70 ms; ' +
      'see what feeds it, or raise sourceTimeoutMs (--source-timeout)',
    details: { source: 'a pipe', systemCode: 'ETIMEDOUT' },
  });
});

test('a source without bytes says what to do instead', () => {
  expect(sourceEmpty('a pipe')).toMatchObject({
    code: 'E_SOURCE_EMPTY',
    message:
      'a pipe is empty, and ECR cannot store a layer of no bytes (EmptyUploadException); ' +
      'leave the layer out, or use the two-byte empty descriptor {}',
    details: { source: 'a pipe' },
  });
});

describe('what went wrong on the way', () => {
  test('carries the error that a caller would see', () => {
    const error = new LongshoreError('E_CLOSED', 'closed', {});
    expect(new LaneLost(error)).toMatchObject({ message: 'closed', error, cause: error });
    const fault = new RegistryFault('throttled', error, { nextByte: 7, retryAfterMs: 70 });
    expect(fault).toMatchObject({
      kind: 'throttled',
      message: 'closed',
      error,
      cause: error,
      nextByte: 7,
      retryAfterMs: 70,
    });
    expect(new RegistryFault('final', error)).toMatchObject({ nextByte: undefined });
  });

  test('of a transmission tells how long it had waited, and what is known besides', () => {
    const details = { systemCode: 'ECONNRESET', waitedMs: 70, httpStatus: 502 };
    const error = new TransmissionError('network', 'it broke', details);
    expect(error).toMatchObject({ kind: 'network', message: 'it broke', ...details });
    expect(new TransmissionError('defect', 'it broke')).toMatchObject({
      systemCode: undefined,
      waitedMs: 0,
    });
  });
});
