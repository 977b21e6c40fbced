/** The configuration file of regsync, turned into ours. */

import { LongshoreError } from '../errors.ts';
import { parseReference } from '../registry/reference.ts';
import { ConfigDraft, type ImportedConfig } from './config-draft.ts';
import { configInvalid } from './config-problem.ts';
import { platformProblem, splitTag } from './config-value.ts';
import { ForeignFields, readForeignFile } from './foreign-file.ts';
import { literalOf } from './foreign-rule.ts';
import { importCredentials } from './regsync-credentials.ts';
import { importTarget, isTemplate, splitRest } from './regsync-place.ts';
import { importTags } from './regsync-tags.ts';
import type { SyncMapping, TagFilter } from './sync-config.ts';

const LAYOUT = 'ocidir://';
/** What regsync would do besides, and what becomes of it. */
const HINTS: Readonly<Record<string, string>> = {
  interval: 'runs are repeated by longshore sync --watch',
  schedule: 'runs are repeated by longshore sync --watch, or by cron',
  ratelimit: 'longshore pauses when the source registry says that its limit is reached',
  parallel: 'how much runs at once is said on the command line',
  fastCopy: 'has no counterpart: what is there is not copied again',
  fastCheck: 'has no counterpart: tags are always compared by their digests',
  digestTags: 'has no counterpart; referrers: true copies signatures, SBOMs and the like',
  backup: 'has no counterpart: tags in the target are overwritten, or immutable there',
  skipDockerConfig: "has no counterpart: Docker's logins are used where the file has none",
};
/** What has the same meaning in `defaults` and in an entry. */
const INHERITED = ['referrers', 'targetTag'];

/**
 * Makes our file of regsync's. Registries of ECR become targets; other targets are to be filled in.
 * Passwords are not copied: the result names variables.
 * @throws LongshoreError E_CONFIG_INVALID if it is no YAML, or holds nothing to copy
 */
export function importRegsync(text: string): ImportedConfig {
  const file = readForeignFile(text, 'regsync.yaml');
  const draft = new ConfigDraft('regsync');
  const version = file.value('version') ?? '1';
  if (version !== '1') {
    const problem = 'expected version 1 of the format';
    throw configInvalid('regsync.yaml', [{ line: 1, column: 1, path: ['version'], problem }]);
  }
  const defaults = file.fields('defaults');
  const inherited = new Map(INHERITED.map((name) => [name, defaults.value(name)]));
  const entries = file.list('sync').map((entry) => new ForeignFields(entry));
  for (const credentials of file.list('creds')) {
    importCredentials(draft, new ForeignFields(credentials));
  }
  for (const entry of entries) importEntry(draft, entry, inherited);
  draft.note(...defaults.unasked(HINTS).map((note) => `defaults: ${note}`));
  // Extensions are places for anchors, which are resolved where they are used.
  draft.note(...file.unasked().filter((note) => !note.startsWith('x-')));
  return draft.finish();
}

function importEntry(
  draft: ConfigDraft,
  entry: ForeignFields,
  inherited: ReadonlyMap<string, unknown>,
): void {
  const source = entry.text('source') ?? '';
  const target = (entry.text('target') ?? '').replaceAll(
    /\{\{-?\s*\.Sync\.Source\s*-?\}\}/g,
    source,
  );
  const type = entry.text('type') ?? '';
  const targetTag = entry.value('targetTag') ?? inherited.get('targetTag');
  const referrers = entry.flag('referrers') ?? inherited.get('referrers') === true;
  const filters = filtersOf(entry, type);
  const repositories = entry.fields('repos');
  const { platforms, notes } = platformsOf(entry);
  notes.push(...entry.unasked(HINTS));
  const reason = reasonToLeaveOut({ source, target, targetTag });
  if (reason !== undefined) {
    draft.leftOut(source, [...notes, reason]);
    return;
  }
  const place = importTarget(target);
  const found =
    type === 'registry'
      ? importRegistry(source, place.rest, repositories)
      : importRepository(source, place.rest, type);
  if (typeof found === 'string') {
    draft.leftOut(source, [...notes, found]);
    return;
  }
  draft.target(place.name, place.settings, place.notes);
  for (const { filter, notes: ofFilter } of filters) {
    const own = [...notes, ...ofFilter];
    if (filter === undefined) {
      draft.leftOut(source, own);
      continue;
    }
    const tags: TagFilter = found.tag === undefined ? filter : { include: [found.tag] };
    const mapping: SyncMapping = {
      from: found.from,
      ...(found.to !== undefined && { to: found.to }),
      targets: [place.name],
      ...(Object.keys(tags).length > 0 && { tags }),
      ...(platforms.length > 0 && { platforms }),
      ...(referrers && { referrers }),
    };
    draft.mapping(source, mapping, own);
  }
}

/** One for each set: what any of them takes is copied. */
function filtersOf(entry: ForeignFields, type: string): readonly ReturnType<typeof importTags>[] {
  const sets = entry.list('tagSets').map((set) => new ForeignFields(set));
  const tags = entry.fields('tags');
  if (tags.names.length > 0) sets.push(tags);
  if (type === 'image' || sets.length === 0) return [{ filter: {}, notes: [] }];
  return sets.map(importTags);
}

function platformsOf(entry: ForeignFields): {
  readonly platforms: readonly string[];
  readonly notes: string[];
} {
  const single = entry.text('platform');
  const all = [...(single === undefined ? [] : [single]), ...entry.texts('platforms')];
  const lost = all.filter((platform) => platformProblem(platform) !== undefined);
  const notes = lost.map((platform) => `platform ${platform} has no counterpart: name it in full`);
  return { platforms: all.filter((platform) => !lost.includes(platform)), notes };
}

function reasonToLeaveOut(entry: {
  readonly source: string;
  readonly target: string;
  readonly targetTag: unknown;
}): string | undefined {
  const { source, target, targetTag } = entry;
  if (source === '' || target === '') return 'expected a source and a target';
  if (isTemplate(source) || isTemplate(target)) return 'templates are not expanded: write the name';
  if (target.startsWith(LAYOUT)) return 'layouts are no targets';
  if (targetTag !== undefined) return 'targetTag: longshore sync keeps tags as they are';
  return undefined;
}

interface Found {
  readonly from: string | readonly string[];
  readonly to: string | undefined;
  readonly tag?: string | undefined;
}

function importRepository(source: string, rest: string, type: string): Found | string {
  if (type !== 'image' && type !== 'repository') return `type ${type} is not known`;
  // To us a star would be all repositories of the kind.
  if (source.includes('*')) return 'is no name of a repository';
  const isLayout = source.startsWith(LAYOUT);
  const named = isLayout ? splitRest(source.slice(LAYOUT.length)) : splitTag(source);
  const from = isLayout ? `oci:${named.repository}` : named.repository;
  const { repository: to, tag: targetTag } = splitRest(rest);
  if (type === 'repository') return { from, to: to === '' ? undefined : to };
  const tag = named.tag ?? 'latest';
  if ((targetTag ?? 'latest') !== tag) return `${rest}: longshore sync keeps tags as they are`;
  return { from, to: to === '' ? undefined : to, tag };
}

function importRegistry(host: string, rest: string, repositories: ForeignFields): Found | string {
  const allow = repositories.texts('allow');
  const deny = repositories.texts('deny');
  if (deny.length > 0) return `repos: deny ${deny.join(', ')} has no counterpart`;
  if (referenceHostOf(host) === undefined) return `${host} is no registry`;
  const patterns = allow.map(repositoryPattern);
  const lost = allow.filter((_pattern, index) => patterns[index] === undefined);
  if (lost.length > 0) return `repos: allow ${lost.join(', ')} cannot be said with * and **`;
  const [other] = repositories.unasked();
  if (other !== undefined) return `repos: ${other}`;
  const names = allow.length === 0 ? ['**'] : patterns.filter((name) => name !== undefined);
  const to = rest === '' ? undefined : `${rest.replace(/\/$/, '')}/{repository}`;
  const [first, ...others] = names.map((name) => `${host}/${name}`);
  return {
    from: first !== undefined && others.length === 0 ? first : [first ?? '', ...others],
    to,
  };
}

/** `team/app`, `team/.*`, `team/[^/]+`. */
function repositoryPattern(pattern: string): string | undefined {
  const parts = pattern
    .replaceAll('[^/]*', '*')
    .replaceAll('[^/]+', '*')
    .replaceAll('\\/', '/')
    .split('/')
    .map((part, index, all) => {
      if (part === '*') return '*';
      // It takes slashes as well, so nothing may follow it.
      if (part === '.*' || part === '.+') return index === all.length - 1 ? '**' : undefined;
      return literalOf(part);
    });
  return parts.includes(undefined) ? undefined : parts.join('/');
}

function referenceHostOf(host: string): string | undefined {
  try {
    const { registry, repository } = parseReference(`${host}/any/repository`);
    return repository === 'any/repository' ? registry : undefined;
  } catch (error) {
    if (LongshoreError.is(error)) return undefined;
    throw error;
  }
}
