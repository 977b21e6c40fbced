import { matrixSuite } from './matrix-suite.ts';
import { REPLY_FAULTS } from './reply-faults.ts';

matrixSuite(
  'in answers',
  REPLY_FAULTS.filter(({ login }) => login === undefined),
  {},
);

matrixSuite(
  'of credentials that can be renewed',
  REPLY_FAULTS.filter(({ login }) => login === 'renewing'),
  { login: 'renewing', emulator: { verifySignatures: false } },
);
