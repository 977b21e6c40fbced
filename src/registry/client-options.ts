/** How a registry is reached: the options that every reader of a registry takes. */

import { optionInvalid } from '../errors.ts';

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

/** Options of a registry's reader. Every field is optional. */
export interface RegistryOptions {
  /**
   * User and password, or a function that finds them; it is given the registry as the reference has it
   * (`docker.io`, `registry.example.com:5000`), and is asked again when what it gave was refused.
   * Default, and where the function finds none: the file `REGISTRY_AUTH_FILE`, then Docker's
   * configuration (`DOCKER_CONFIG`, `~/.docker`) with its credential helpers, then no login.
   */
  readonly credentials?:
    | RegistryCredentials
    | ((host: string) => Promise<RegistryCredentials | undefined>);
  /** HTTP without TLS. Default: only for `localhost` and loopback addresses. */
  readonly plainHttp?: boolean;
  /** PEM certificates to trust beside Node's own. (`NODE_EXTRA_CA_CERTS` works by itself.) */
  readonly certificateAuthorities?: string;
  /** `environment` (default) reads `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`; or a proxy's URL; or `none`. */
  readonly proxy?: 'environment' | 'none' | URL;
  /**
   * Attempts of one request, the first included, and of a download without progress, 1..100. Default 5.
   */
  readonly attemptsMax?: number;
  /** Upper bound of the first back-off, which doubles from there, 1..60,000. Default 200 ms. */
  readonly retryDelayMs?: number;
  /** Upper bound of every back-off, 1..600,000. Default 10,000 ms. */
  readonly retryDelayMsMax?: number;
  /** Longest wait for a connection, TLS included, 1..600,000. Default 10,000 ms. */
  readonly connectTimeoutMs?: number;
  /** Longest time in which no byte arrives while one is waited for, 1..600,000. Default 30,000 ms. */
  readonly stallTimeoutMs?: number;
}

type NumberOption =
  | 'attemptsMax'
  | 'retryDelayMs'
  | 'retryDelayMsMax'
  | 'connectTimeoutMs'
  | 'stallTimeoutMs';

/** Options with every default filled in. */
export type ResolvedRegistryOptions = Readonly<Record<NumberOption, number>> & {
  readonly credentials: RegistryOptions['credentials'];
  readonly plainHttp: boolean | undefined;
  readonly certificateAuthorities: string | undefined;
  readonly proxy: 'environment' | 'none' | URL;
};

const RANGE: Readonly<Record<NumberOption, { readonly max: number; readonly byDefault: number }>> =
  {
    attemptsMax: { max: 100, byDefault: 5 },
    retryDelayMs: { max: 60_000, byDefault: 200 },
    retryDelayMsMax: { max: 600_000, byDefault: 10_000 },
    connectTimeoutMs: { max: 600_000, byDefault: 10_000 },
    stallTimeoutMs: { max: 600_000, byDefault: 30_000 },
  };
const OTHER_OPTIONS: readonly string[] = [
  'credentials',
  'plainHttp',
  'certificateAuthorities',
  'proxy',
];

/**
 * Checks the options and fills in the defaults.
 * @param furtherOptions names that somebody else checks
 * @throws LongshoreError E_OPTION_INVALID
 */
export function resolveRegistryOptions(
  options: RegistryOptions,
  furtherOptions: readonly string[] = [],
): ResolvedRegistryOptions {
  const names = [...Object.keys(RANGE), ...OTHER_OPTIONS, ...furtherOptions];
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw optionInvalid(name, `one of ${names.join(', ')}`, name);
  }
  const numbers = Object.fromEntries(
    Object.entries(RANGE).map(([name, { max, byDefault }]) => {
      const value = options[name as NumberOption] ?? byDefault;
      if (Number.isSafeInteger(value) && value >= 1 && value <= max) return [name, value];
      throw optionInvalid(name, `an integer from 1 to ${max}`, String(value));
    }),
  ) as Record<NumberOption, number>;
  const { credentials, plainHttp, certificateAuthorities, proxy = 'environment' } = options;
  if (proxy !== 'environment' && proxy !== 'none' && !(proxy instanceof URL)) {
    throw optionInvalid('proxy', "'environment', 'none' or a URL object", `a ${typeof proxy}`);
  }
  if (credentials !== undefined && typeof credentials !== 'function') {
    const { username, password } = credentials;
    // What was received may be a secret.
    if (typeof username !== 'string' || typeof password !== 'string' || username.includes(':')) {
      throw optionInvalid('credentials', 'username (without colon) and password', 'something else');
    }
  }
  return Object.freeze({ ...numbers, credentials, plainHttp, certificateAuthorities, proxy });
}
