import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ECR_OPERATIONS } from './fault.ts';
import { faultTable } from './fault-table.ts';
import { REPLY_FAULTS } from './reply-faults.ts';

const DOCUMENT = fileURLToPath(new URL('../../ARCHITECTURE.md', import.meta.url));
const BEGIN = '<!-- faults: made by test/faults -->';
const END = '<!-- end of faults -->';
const REMEDY = 'run: LONGSHORE_FAULT_TABLE=write npx vitest run test/faults/fault-table.test.ts';

describe('the table of faults', () => {
  test('in ARCHITECTURE.md is the one that the tests hold to', () => {
    const document = readFileSync(DOCUMENT, 'utf8');
    const [before, rest = ''] = document.split(BEGIN);
    const [found, after] = rest.split(END);
    const wanted = `\n${faultTable()}\n`;
    if (process.env['LONGSHORE_FAULT_TABLE'] === 'write') {
      writeFileSync(DOCUMENT, `${before}${BEGIN}${wanted}${END}${after}`);
      return;
    }
    expect(found, `is old; ${REMEDY}`).toBe(wanted);
  });

  test('has every exception that the AWS SDK names for a call of ours', () => {
    const named = ECR_OPERATIONS.flatMap((operation) =>
      exceptionsOf(operation).map((exception) => `${operation}: ${exception}`),
    );
    const covered = REPLY_FAULTS.flatMap(({ name, expectations }) =>
      expectations.flatMap(({ operations }) =>
        operations.map((operation) => `${operation}: ${/^`(\w+)`/.exec(name)?.[1]}`),
      ),
    );
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((one) => !covered.includes(one))).toEqual([]);
  });
});

/** From the documentation of the installed SDK. */
function exceptionsOf(operation: string): readonly string[] {
  const packagePath = createRequire(import.meta.url).resolve('@aws-sdk/client-ecr/package.json');
  const path = join(dirname(packagePath), 'dist-types', 'commands', `${operation}Command.d.ts`);
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(/@throws {@link (\w+)}/g)]
    .map(([, exception = '']) => exception)
    .filter((exception) => exception.endsWith('Exception') && exception !== 'ECRServiceException');
}
