/** The vocabulary of the fault matrix: what goes wrong, where, and what a caller then sees. */

import type { FaultAction } from '../../src/emulator/index.ts';
import type { ErrorCode } from '../../src/index.ts';
import type { GatewayAct } from './gateway.ts';
import type { WrongRoute } from './wrong-route.ts';

/** The calls to ECR, and the download of a blob from where ECR's URL leads. */
export const OPERATIONS = [
  'BatchCheckLayerAvailability',
  'CreateRepository',
  'InitiateLayerUpload',
  'UploadLayerPart',
  'CompleteLayerUpload',
  'BatchGetImage',
  'DescribeRepositories',
  'PutImage',
  'GetDownloadUrlForLayer',
  'ListImageReferrers',
  'download of a blob',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Those that ECR itself answers. */
export type EcrOperation = Exclude<Operation, 'download of a blob'>;
export const ECR_OPERATIONS: readonly EcrOperation[] = OPERATIONS.filter(
  (operation) => operation !== 'download of a blob',
);

/** What comes of a call of ours: it succeeds, with the right bytes, or fails with this code. */
export type Ending = 'finishes' | ErrorCode;

export type Random = () => number;

export interface Expectation {
  readonly operations: readonly Operation[];
  /** What longshore does, for the table. */
  readonly answer: string;
  /** What comes of it when the fault strikes fewer times than there are attempts. */
  readonly passing: Ending;
  /** And when it strikes every time. */
  readonly lasting: Ending;
}

export type Injection =
  /** Strikes one repository, so that many runs may go on side by side. */
  | { readonly by: 'emulator'; readonly action: (random: Random) => FaultAction }
  /** Strikes whatever comes: one run at a time. */
  | { readonly by: 'emulator-at-large'; readonly action: (random: Random) => FaultAction }
  | { readonly by: 'gateway'; readonly act: (random: Random) => GatewayAct }
  | { readonly by: 'route'; readonly route: WrongRoute };

export interface Fault {
  readonly name: string;
  readonly injection: Injection;
  readonly expectations: readonly Expectation[];
  /** Most strikes of one that passes. Default 2. */
  readonly strikesMax?: number;
  /** The layer starts again, so its source must be one that can. */
  readonly startsAgain?: boolean;
  /** Only what is put with a tag meets it. */
  readonly isOfTag?: boolean;
  /** Its runs wait for seconds and do nothing else. */
  readonly waits?: boolean;
  /** Time-outs are short, and waited for. */
  readonly isImpatient?: boolean;
  /** Whose credentials can be renewed. */
  readonly login?: 'renewing';
}

/** Of something that no request meets: a thread, a disk. */
export interface LocalFault {
  readonly name: string;
  readonly where: string;
  readonly answer: string;
  readonly passing: Ending;
  readonly lasting: Ending;
}
