import { expect, test } from 'vitest';
import { columnsOf, fitEnd, fitStart, printable } from '../../../src/cli/progress/text-fit.ts';

test('text is padded or cut to exactly the columns asked for', () => {
  for (const text of [
    '',
    'a',
    'layer.tar.gz',
    '層の名前はとても長い.tar.gz',
    'e\u0301t\u0301e\u0301',
    '📦📦📦📦',
  ]) {
    for (const columns of [1, 2, 5, 12, 40]) {
      expect(columnsOf(fitStart(text, columns))).toBe(columns);
      expect(columnsOf(fitEnd(text, columns))).toBe(columns);
    }
  }
});

test('a cut keeps the end of a path and the start of a sentence', () => {
  expect(fitEnd('build/output/base.tar.gz', 12)).toBe('…base.tar.gz');
  expect(fitStart('and 12 more under way', 8)).toBe('and 12 …');
});

test('what would steer the terminal is replaced', () => {
  expect(printable('a\u001b[31m\r\nb\u202ec')).toBe('a?[31m??b?c');
});
