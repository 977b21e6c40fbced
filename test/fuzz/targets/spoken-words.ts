/** What people and their environment say: references, words of a command line, proxies. */

import { InvalidArgumentError } from 'commander';
import { runProgram } from '../../../src/cli/program.ts';
import { LongshoreError } from '../../../src/errors.ts';
import { createProxyAgent } from '../../../src/network/proxy-agent.ts';
import { proxyFor } from '../../../src/network/proxy.ts';
import { formatReference, parseReference } from '../../../src/registry/reference.ts';
import { parseImageLocation } from '../../../src/cli/image-location.ts';
import {
  parseBlobPath,
  parseEndpoint,
  parseKeyValue,
  parseSize,
} from '../../../src/cli/option-values.ts';
import { parseRepositoryTarget } from '../../../src/cli/repository-target.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';
import { matchingReference } from '../../../src/source/reference-match.ts';
import { fakeContext } from '../../cli/fake-context.ts';
import { type FuzzTarget, outcomeOf, pureTarget } from '../fuzz-target.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const NAMES = [
  'docker.io',
  '[::1]:5000/',
  'localhost:5000/',
  'a/b',
  ':tag',
  `@${DIGEST}`,
  'a__b',
  'me:pw@',
];
const isUsage = (error: unknown): boolean =>
  error instanceof UsageError || error instanceof InvalidArgumentError;

const reference: FuzzTarget = pureTarget({
  name: 'reference',
  words: NAMES,
  run: (input) =>
    outcomeOf(
      () => {
        const text = input.toString('utf8');
        matchingReference(text, [['app:1.0', text]], (names) => names);
        const parsed = parseReference(text);
        const full = formatReference(parsed);
        if (formatReference(parseReference(full)) !== full)
          throw new Error(`${full} is read otherwise`);
        return full;
      },
      (error) => LongshoreError.is(error, 'E_OPTION_INVALID'),
    ),
});

const PARSERS: readonly ((text: string) => unknown)[] = [
  parseSize,
  parseBlobPath,
  parseKeyValue,
  parseEndpoint,
  parseRepositoryTarget,
  (text) => parseImageLocation(text, { exists: () => false, platform: 'linux' }),
  (text) =>
    parseImageLocation(text, { exists: (path) => path.length % 2 === 0, platform: 'win32' }),
];

const optionValue: FuzzTarget = pureTarget({
  name: 'option-value',
  words: [
    '20MiB',
    '1e9',
    '=',
    'https://',
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com/',
    'oci:',
    ...NAMES,
  ],
  run: async (input) => {
    const text = input.toString('utf8');
    const outcomes: string[] = [];
    for (const parse of PARSERS) {
      const outcome = await outcomeOf(() => parse(text), isUsage);
      outcomes.push(outcome === 'sound' ? 'y' : 'n');
    }
    return outcomes.join('');
  },
});

const commandLine: FuzzTarget = pureTarget({
  name: 'command-line',
  words: [
    'layer\n',
    'push\n',
    'verify\n',
    'help\n',
    '--json\n',
    '--debug\n',
    '-r\n',
    '--tag\n',
    '--\n',
    '-\n',
    '--platform\n',
    ...NAMES,
  ],
  // Nothing is opened: what it would upload with says that it is not there.
  run: async (input) => {
    // No command line holds a zero.
    const words = input.toString('utf8').replaceAll('\0', '').split('\n');
    if (words.includes('emulator')) return 'emulator';
    const context = fakeContext();
    const exitCode = await runProgram(context, words);
    if (![0, 1, 2].includes(exitCode)) throw new Error(`it ends with ${exitCode}`);
    const text = context.stdout.text + context.stderr.text;
    if (text.includes('E_UNEXPECTED') && !text.includes('in this test')) throw new Error(text);
    return `${exitCode} ${context.stderr.text.slice(0, 30)}`;
  },
});

const VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY'];

const proxyVariable: FuzzTarget = pureTarget({
  name: 'proxy-variable',
  words: ['http://', 'socks5://', 'me:hush%40@', ':3128', '*.amazonaws.com', ',', '[::1]', '\n'],
  run: async (input) => {
    const [proxy = '', exceptions = ''] = input.toString('utf8').replaceAll('\0', '').split('\n');
    const values = [proxy, proxy, proxy, exceptions];
    const before = VARIABLES.map((name) => [name, process.env[name]] as const);
    VARIABLES.forEach((name, index) => (process.env[name] = values[index]));
    try {
      const outcome = await outcomeOf(
        async () => {
          for (const endpoint of ['https://api.ecr.eu-west-1.amazonaws.com', 'http://[::1]:8080']) {
            const url = proxyFor(endpoint, 'environment');
            if (url !== undefined)
              (await createProxyAgent(new URL(endpoint).protocol, url, {}, {})).destroy();
          }
        },
        (error) => LongshoreError.is(error, 'E_OPTION_INVALID') && !error.message.includes('hush'),
      );
      return outcome;
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  },
});

export const spokenWords: readonly FuzzTarget[] = [
  reference,
  optionValue,
  commandLine,
  proxyVariable,
];
