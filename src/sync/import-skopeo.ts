/** The file of `skopeo sync --src yaml`, turned into ours. */

import { LongshoreError } from '../errors.ts';
import { parseReference } from '../registry/reference.ts';
import { ConfigDraft, type ImportedConfig } from './config-draft.ts';
import { ForeignFields, readForeignFile } from './foreign-file.ts';
import { translateRange, wholeRegex } from './foreign-rule.ts';
import { isLiteralTag } from './tag-filter.ts';
import type { SourceRegistrySettings, TagFilter } from './sync-config.ts';

/** Without `--scoped`, skopeo keeps only the last part of a name. */
const TO = '{name}';
/** To us a star would be all repositories of the kind. */
const NO_NAME = 'is no name of a repository';

/**
 * Makes our file of skopeo's. Where it went is on skopeo's command line: the target is to be filled in.
 * Passwords are not copied: the result names variables.
 * @throws LongshoreError E_CONFIG_INVALID if it is no YAML, or holds nothing to copy
 */
export function importSkopeo(text: string): ImportedConfig {
  const file = readForeignFile(text, 'skopeo.yaml');
  const draft = new ConfigDraft('skopeo');
  draft.note(
    'skopeo without --all copies only its own platform: set platforms for the same',
    `to: skopeo without --scoped keeps the last part of a name; for --scoped write {registry}/{repository}, and in front what its destination had after the host`,
  );
  draft.target('main', {}, [
    'skopeo has its destination on the command line: set region, registryId',
  ]);
  for (const host of file.names) importRegistry(draft, host, file.fields(host));
  return draft.finish();
}

function importRegistry(draft: ConfigDraft, host: string, fields: ForeignFields): void {
  const images = fields.fields('images');
  for (const name of images.names) importImages(draft, `${host}/${name}`, images.value(name) ?? []);
  const byRegex = fields.fields('images-by-tag-regex');
  for (const name of byRegex.names) {
    const regex = byRegex.text(name) ?? '';
    const own = wholeRegex(regex);
    const problem = `regex ${regex} is not one of JavaScript`;
    importRule(draft, `${host}/${name}`, own === undefined ? problem : { regex: [own] });
  }
  const bySemver = fields.fields('images-by-semver');
  for (const name of bySemver.names) {
    const constraint = bySemver.text(name) ?? '';
    const semver = translateRange(constraint);
    const problem = `semver ${constraint} cannot be said as a range of npm`;
    importRule(draft, `${host}/${name}`, semver === undefined ? problem : { semver });
  }
  importSettings(draft, host, fields);
}

function importImages(draft: ConfigDraft, from: string, references: unknown): void {
  if (!Array.isArray(references) || from.includes('*')) {
    const isList = Array.isArray(references);
    draft.leftOut(from, [isList ? NO_NAME : 'expected a list of tags']);
    return;
  }
  const texts = references.map(String);
  const tags = texts.filter(isLiteralTag);
  const notes = texts
    .filter((text) => !isLiteralTag(text))
    .map((text) => `${text} is no tag, and only tags are copied: an image by longshore push`);
  // Without any references skopeo takes all tags; with digests only, none.
  if (texts.length > 0 && tags.length === 0) {
    draft.leftOut(from, notes);
    return;
  }
  const filter = tags.length === 0 ? {} : { tags: { include: tags } };
  draft.mapping(from, { from, to: TO, ...filter }, notes);
}

function importRule(draft: ConfigDraft, from: string, tags: TagFilter | string): void {
  if (from.includes('*')) draft.leftOut(from, [NO_NAME]);
  else if (typeof tags === 'string') draft.leftOut(from, [tags]);
  else draft.mapping(from, { from, to: TO, tags }, []);
}

function importSettings(draft: ConfigDraft, key: string, fields: ForeignFields): void {
  const host = hostOf(key);
  const notes: string[] = [];
  const credentials = fields.fields('credentials');
  const username = credentials.text('username');
  const hasPassword = credentials.value('password') !== undefined;
  notes.push(...credentials.unasked().map((note) => `credentials: ${note}`));
  let settings: SourceRegistrySettings = {};
  if (username !== undefined) {
    const passwordEnv = draft.passwordVariable(host);
    settings = { credentials: { username, passwordEnv } };
    if (hasPassword) notes.push(`the password was not copied: put it into ${passwordEnv}`);
  }
  if (fields.flag('tls-verify') === false) {
    notes.push(
      'tls-verify: false has no counterpart: name the certificate in certificateAuthorityFile, or set plainHttp',
    );
  }
  if (fields.value('cert-dir') !== undefined) {
    notes.push('cert-dir: put its *.crt files into one and name it in certificateAuthorityFile');
  }
  notes.push(...fields.unasked());
  if (username !== undefined || notes.length > 0) draft.registry(host, settings, notes);
}

/** Keys may have a path behind the host. */
function hostOf(key: string): string {
  try {
    return parseReference(`${key}/any`).registry;
  } catch (error) {
    if (!LongshoreError.is(error)) throw error;
    return key;
  }
}
