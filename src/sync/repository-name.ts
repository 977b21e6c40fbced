/** What a repository is called in the target. */

import { optionInvalid } from '../errors.ts';
import { isRepositoryName } from '../uploader/request-check.ts';

/** The source as names are made of it; a {@link SourceRepository} is one. */
export interface NamedSource {
  readonly registry: string;
  readonly repository: string;
}

type Placeholder = (source: NamedSource) => string;

const PLACEHOLDERS: ReadonlyMap<string, Placeholder> = new Map<string, Placeholder>([
  ['registry', ({ registry }) => registry],
  ['repository', ({ repository }) => repository],
  ['namespace', ({ repository }) => repository.slice(0, Math.max(repository.lastIndexOf('/'), 0))],
  ['name', ({ repository }) => repository.slice(repository.lastIndexOf('/') + 1)],
]);
const KNOWN: string = [...PLACEHOLDERS.keys()].map((name) => `{${name}}`).join(', ');

const PLACEHOLDER = /\{([^{}]*)\}/g;
/** A separator as ECR's names have it, or anything that they do not have. */
const SEPARATOR = /[^a-z0-9]+/g;
const SEPARATOR_ALLOWED = /^(?:\.|_|__|-+)$/;

/** What is wrong with a template whatever the source; `undefined` if nothing is. */
export function templateProblem(template: string): string | undefined {
  const unknown = [...template.matchAll(PLACEHOLDER)].find(
    ([, name = '']) => !PLACEHOLDERS.has(name),
  );
  if (unknown !== undefined) return `${unknown[0]} stands for nothing; expected one of ${KNOWN}`;
  const rest = template.replaceAll(PLACEHOLDER, 'x');
  if (/[{}]/.test(rest)) return `has a brace that stands alone; expected one of ${KNOWN}`;
  if (/^[a-z0-9._/-]+$/.test(rest) && rest.split('/').every((part) => part !== ''))
    return undefined;
  return `expected lower-case letters, digits, ".", "_", "-", "/" and ${KNOWN}, without an empty part`;
}

/**
 * The name of a source's repository in the target. What ECR's names cannot have becomes a dash:
 * `localhost:5000` gives `localhost-5000`, `[::1]:5000` gives `1-5000`; upper case becomes lower case. A part
 * between slashes that stays empty falls away: `{registry}` of a layout, `{namespace}` of `ghcr.io/app`.
 * @throws LongshoreError E_OPTION_INVALID for a template or a name that cannot be
 */
export function repositoryNameFor(template: string, source: NamedSource): string {
  const problem = templateProblem(template);
  if (problem !== undefined)
    throw optionInvalid('to', 'a repository name', `${template}: ${problem}`);
  const name = template
    .replaceAll(PLACEHOLDER, (_text, placeholder: string) =>
      (PLACEHOLDERS.get(placeholder)?.(source) ?? '').split('/').map(sanitized).join('/'),
    )
    .split('/')
    .filter((part) => part !== '')
    .join('/');
  if (isRepositoryName(name)) return name;
  throw optionInvalid(
    'to',
    `a template that gives a repository name of 2 to 256 lower-case characters for ${source.repository}`,
    `${template}, which gives "${name.slice(0, 300)}"`,
  );
}

/** One part between slashes, as ECR takes it. */
function sanitized(part: string): string {
  return part
    .toLowerCase()
    .replaceAll(SEPARATOR, (text) => (SEPARATOR_ALLOWED.test(text) ? text : '-'))
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
}
