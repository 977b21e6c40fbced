import { afterAll } from 'vitest';
import { temporaryFolder } from '../package/temporary-folder.ts';
import { matrixSuite } from './matrix-suite.ts';
import { NETWORK_FAULTS } from './network-faults.ts';

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const restarts = NETWORK_FAULTS.filter(({ name }) => name.includes('started again'));

matrixSuite(
  'on the way',
  NETWORK_FAULTS.filter((fault) => !restarts.includes(fault)),
  {},
);

// What outlives the registry is on its disk.
matrixSuite('at the registry', restarts, { emulator: { dataDirectory: folder.path } });
