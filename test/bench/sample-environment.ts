import type { Environment } from '../../bench/environment.ts';

export const ENVIRONMENT: Environment = {
  cpuModel: 'Model 7',
  coreCount: 2,
  shaInstructions: true,
  memoryBytes: 8 * 2 ** 30,
  kernel: 'Linux 6.1',
  node: 'v20.20.2',
  openssl: '3.0.19',
  packages: { piscina: '5.3.2' },
  commit: '0123456789ab',
  dirty: true,
  busyShareBefore: 0.04,
  loadAverage: [0.1, 0.1, 0.1],
};
