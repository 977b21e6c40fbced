/** How regsync reaches registries, as far as we have the same settings. */

import type { ConfigDraft } from './config-draft.ts';
import type { ForeignFields } from './foreign-file.ts';
import { isTemplate, variableOf } from './regsync-place.ts';
import type { SourceRegistrySettings } from './sync-config.ts';

const HINTS: Readonly<Record<string, string>> = {
  regcert: 'write the certificate into a file and name it in certificateAuthorityFile',
  credHelper: "name the helper under credHelpers of Docker's configuration",
  reqPerSec: 'has no counterpart: longshore pauses when the registry asks for it',
  hostname: 'has no counterpart: use the host in from',
};

/** One entry of `creds`. Passwords are not copied. */
export function importCredentials(draft: ConfigDraft, entry: ForeignFields): void {
  const host = entry.text('registry') ?? '';
  const notes: string[] = [];
  const user = entry.text('user');
  const password = entry.text('pass');
  const tls = entry.text('tls')?.toLowerCase();
  const requests = Number(entry.text('reqConcurrent') ?? 0);
  const credentials = loginOf(draft, host, user, password, notes);
  if (tls === 'insecure') {
    notes.push(
      'tls: insecure has no counterpart: name the certificate in certificateAuthorityFile',
    );
  }
  const isInRange = Number.isInteger(requests) && requests >= 1 && requests <= 256;
  if (requests !== 0 && !isInRange) notes.push('reqConcurrent: requestsInFlight is 1 to 256');
  notes.push(...entry.unasked(HINTS));
  const settings: SourceRegistrySettings = {
    ...(credentials !== undefined && { credentials }),
    ...(tls === 'disabled' && { plainHttp: true }),
    ...(isInRange && { requestsInFlight: requests }),
  };
  if (Object.keys(settings).length > 0 || notes.length > 0) draft.registry(host, settings, notes);
}

function loginOf(
  draft: ConfigDraft,
  host: string,
  user: string | undefined,
  password: string | undefined,
  notes: string[],
): SourceRegistrySettings['credentials'] {
  if (user === undefined) {
    if (password !== undefined) notes.push('pass without user has no counterpart');
    return undefined;
  }
  const known = variableOf(password ?? '');
  const passwordEnv = known ?? draft.passwordVariable(host);
  if (isTemplate(user)) {
    notes.push(`user is a template: set credentials, with passwordEnv ${passwordEnv}`);
    return undefined;
  }
  if (known === undefined) notes.push(`the password was not copied: put it into ${passwordEnv}`);
  return { username: user, passwordEnv };
}
