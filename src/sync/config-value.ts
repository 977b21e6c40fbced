/** Checks of single values of a configuration: each tells what is wrong, or nothing. */

import { LongshoreError } from '../errors.ts';
import { parsePlatform } from '../image/platform.ts';
import { parseReference } from '../registry/reference.ts';
import { parseFrom } from './from-pattern.ts';
import { compileGlob, compileRange, compileRegex, isLiteralTag } from './tag-filter.ts';

/** What is wrong with a text; `undefined` if nothing is. */
export type TextCheck = (text: string) => string | undefined;

/** Longest expression or glob: nobody writes longer ones by hand. */
const EXPRESSION_CHARACTERS_MAX = 1000;
/** What stands in a tag, wildcards, and sets of characters. */
const GLOB = /^(?:[\w.*?{},-]|\[[!^]?[\w.-]+\])+$/;
const ENVIRONMENT_VARIABLE = /^[A-Za-z_]\w*$/;

/** `from` without a tag. */
export const fromProblem: TextCheck = (from) => {
  if (!from.startsWith('oci:') && from.includes('@sha256:')) {
    return 'expected a repository, received a digest: name its tags in tags.include, or push the one image by longshore push';
  }
  try {
    parseFrom(from);
    return undefined;
  } catch (error) {
    if (!LongshoreError.is(error, 'E_OPTION_INVALID')) throw error;
    return `expected ${error.details.expected}, received ${error.details.received}`;
  }
};

/** `from` as files have it: a tag may follow. */
export const fileFromProblem: TextCheck = (from) => fromProblem(splitTag(from).repository);

/** `docker.io/library/nginx:1.27` in two; what is no tag stays with the repository. */
export function splitTag(from: string): {
  readonly repository: string;
  readonly tag: string | undefined;
} {
  const colon = from.lastIndexOf(':');
  const tag = from.slice(colon + 1);
  const isTag = colon > from.lastIndexOf('/') && isLiteralTag(tag) && !/^oci:|@/.test(from);
  return isTag ? { repository: from.slice(0, colon), tag } : { repository: from, tag: undefined };
}

export const globProblem: TextCheck = (glob) => {
  if (glob.length > EXPRESSION_CHARACTERS_MAX) return tooLong();
  const braces = glob.replaceAll(/[^{}]/g, '');
  const isSound =
    GLOB.test(glob) && /^(?:\{\})*$/.test(braces) && compiles(() => compileGlob(glob));
  if (isSound) return undefined;
  return 'expected a tag, or a glob of letters, digits, ".", "_", "-", *, ?, [...] and {a,b}; expressions belong to regex';
};

export const regexProblem: TextCheck = (source) => {
  if (source.length > EXPRESSION_CHARACTERS_MAX) return tooLong();
  try {
    compileRegex(source);
    return undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return `expected a regular expression of JavaScript: ${error.message}`;
  }
};

export const rangeProblem: TextCheck = (range) => {
  if (range.length > EXPRESSION_CHARACTERS_MAX) return tooLong();
  if (compiles(() => compileRange(range, false))) return undefined;
  return 'expected a range as npm has it, such as >=1.20 <2 || ~3.1';
};

export const platformProblem: TextCheck = (platform) =>
  parsePlatform(platform) === undefined
    ? 'expected os/architecture, such as linux/amd64'
    : undefined;

export const registryIdProblem: TextCheck = (id) =>
  /^[0-9]{12}$/.test(id) ? undefined : 'expected 12 digits';

export const endpointProblem: TextCheck = (endpoint) =>
  URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol)
    ? undefined
    : 'expected a URL such as https://host:port';

export const variableProblem: TextCheck = (name) =>
  ENVIRONMENT_VARIABLE.test(name)
    ? undefined
    : 'expected the name of an environment variable, not the password itself';

/** The host of a registry as references have it. */
export const hostProblem: TextCheck = (host) => {
  const expected = 'expected the host of a registry, such as docker.io or localhost:5000';
  try {
    const { registry, repository } = parseReference(`${host}/any/repository`);
    if (repository !== 'any/repository') return expected;
    return registry === host ? undefined : `is called ${registry} in references: write that`;
  } catch (error) {
    if (!LongshoreError.is(error, 'E_OPTION_INVALID')) throw error;
    return expected;
  }
};

export const targetNameProblem: TextCheck = (name) =>
  /^[A-Za-z0-9][\w.-]{0,63}$/.test(name)
    ? undefined
    : 'expected a name of 1 to 64 letters, digits, dots, dashes and underscores';

function tooLong(): string {
  return `expected at most ${EXPRESSION_CHARACTERS_MAX} characters`;
}

function compiles(compile: () => unknown): boolean {
  try {
    compile();
    return true;
  } catch {
    return false;
  }
}
