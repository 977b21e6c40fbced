/** Errors as the command line tells them: to people with a remedy, to machines as JSON. */

import { type ErrorCode, LongshoreError } from '../errors.ts';
import { CommandFailure } from './command-failure.ts';
import { EXIT_FAILED, EXIT_USAGE } from './exit-code.ts';
import { printable } from './progress/text-fit.ts';
import { UsageError } from './usage-error.ts';

export interface ErrorReport {
  /**
   * Beside the library's: `ABORTED` where the user ended it, `E_USAGE` for a wrong command line,
   * `E_COMMAND` where a command cannot do its work, `E_UNEXPECTED` for a defect of longshore.
   */
  readonly code: ErrorCode | 'ABORTED' | 'E_USAGE' | 'E_COMMAND' | 'E_UNEXPECTED';
  readonly message: string;
  readonly details: object;
  readonly retryable: boolean;
  readonly origin: string;
}

/** Why an upload that the user ended rejects. */
export class Interruption extends Error {}

/** What the command line offers against an error whose message has no remedy. */
const REMEDY: { readonly [Code in ErrorReport['code']]?: string } = {
  E_REPOSITORY_NOT_FOUND: 'create the repository first, or pass --create-repository',
  E_CREDENTIALS: 'set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  E_ACCESS_DENIED:
    'the credentials need ecr:InitiateLayerUpload, ecr:UploadLayerPart, ' +
    'ecr:CompleteLayerUpload and ecr:BatchCheckLayerAvailability on the repository; a push also ' +
    'ecr:BatchGetImage and ecr:PutImage, a verification ' +
    'ecr:BatchGetImage and ecr:GetDownloadUrlForLayer',
  E_NETWORK: 'check --endpoint-url, --region and the proxy settings (HTTPS_PROXY, NO_PROXY)',
  E_TIMEOUT: 'on a slow line lower --parts-in-flight, --layers-in-flight or --part-size',
  E_THROTTLED: 'lower --parts-in-flight and --layers-in-flight',
  E_UNEXPECTED: 'this is a defect of longshore; please report it with the output of --debug',
};

/** Names an option as it is written on the command line. */
const FLAG: Readonly<Record<string, string>> = {
  region: '--region',
  endpoint: '--endpoint-url',
  registryId: '--registry-id',
  createRepository: '--create-repository',
  hasher: '--hasher',
  workersMax: '--workers',
  layersInFlight: '--layers-in-flight',
  partsInFlight: '--parts-in-flight',
  bytesInMemoryMax: '--memory',
  partSizeBytes: '--part-size',
  sourceTimeoutMs: '--source-timeout',
  certificateAuthorities: '--ca-file',
  resumeDirectory: '--resume-directory',
  tags: '--tag',
  platforms: '--platform',
  compression: '--compression',
  imagesInFlight: '--images-in-flight',
  cacheDirectory: '--cache-directory',
  onlyFailed: '--only-failed',
};

export function reportOf(error: unknown): ErrorReport {
  if (LongshoreError.is(error)) {
    const { code, message, details, retryable, origin } = error;
    return { code, message, details, retryable, origin };
  }
  if (error instanceof Interruption) {
    const { message } = error;
    return { code: 'ABORTED', message, details: {}, retryable: true, origin: 'caller' };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError || error instanceof CommandFailure) {
    const code = error instanceof UsageError ? 'E_USAGE' : 'E_COMMAND';
    return { code, message, details: {}, retryable: false, origin: 'caller' };
  }
  return { code: 'E_UNEXPECTED', message, details: {}, retryable: false, origin: 'longshore' };
}

/** What the caller has to put right before anything can be started. */
const USAGE_CODES: ReadonlySet<string> = new Set([
  'E_OPTION_INVALID',
  'E_CONFIG_INVALID',
  'E_USAGE',
]);

/** Of an error that ended all of a command. */
export function exitCodeOf(error: unknown): number {
  return USAGE_CODES.has(reportOf(error).code) ? EXIT_USAGE : EXIT_FAILED;
}

/** The one line that a command with `--json` prints for an error that ends all of it. */
export function errorLine(error: unknown): string {
  return `${JSON.stringify({ error: reportOf(error) })}\n`;
}

/**
 * Lines for people, the program's name first.
 * @param layers the layers that ended with this error
 */
export function describeError(error: unknown, layers: readonly string[], debug: boolean): string {
  if (LongshoreError.is(error, 'E_CONFIG_INVALID')) {
    return [...problemLines(error), ...(debug ? stackOf(error) : [])].join('\n');
  }
  const report = reportOf(error);
  // A message may list choices, one a line. What a verification found is told as its result.
  const [first = '', ...more] = report.message.split('\n').map(printable);
  const lines =
    report.code === 'E_VERIFICATION_FAILED'
      ? [`longshore: ${first.replace(/:$/, '')} (${report.code})`]
      : [`longshore: ${first} (${report.code})`, ...more];
  const option = LongshoreError.is(error, 'E_OPTION_INVALID') ? FLAG[error.details.option] : '';
  if (option !== undefined && option !== '') lines.push(`  option: ${option}`);
  if (layers.length > 1) lines.push(`  layers: ${nameSome(layers)}`);
  // What follows a semicolon in a message of the library is the remedy.
  const remedy = report.message.includes('; ') ? undefined : REMEDY[report.code];
  if (remedy !== undefined) lines.push(`  try: ${remedy}`);
  if (debug) lines.push(...stackOf(error));
  return lines.join('\n');
}

/** `FILE:LINE:COLUMN: ...` at the begin of a line, as editors find it. */
function problemLines({ message, details }: LongshoreError<'E_CONFIG_INVALID'>): string[] {
  const { file, problems } = details;
  const what = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return [
    ...message.split('\n').map(printable),
    `longshore: ${printable(file)} has ${what} (E_CONFIG_INVALID)`,
  ];
}

export function isDebug(
  env: Readonly<Record<string, string | undefined>>,
  flags: { readonly debug?: boolean },
): boolean {
  return flags.debug === true || (env['LONGSHORE_DEBUG'] ?? '') !== '';
}

const LAYERS_NAMED_MAX = 3;

function nameSome(layers: readonly string[]): string {
  const named = layers.slice(0, LAYERS_NAMED_MAX).map(printable).join(', ');
  const rest = layers.length - LAYERS_NAMED_MAX;
  return rest > 0 ? `${named} and ${rest} more` : named;
}

function stackOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const own = (error.stack ?? '').split('\n').map((line) => `  ${printable(line)}`);
  return error.cause === undefined ? own : [...own, '  caused by:', ...stackOf(error.cause)];
}
