/** What `--dry-run` prints: each layer, manifest and tag with what would happen to it and why. */

import type { ImagePlan, PlannedBlob, PlannedManifest, PlannedTag } from '../index.ts';
import { digestLabel } from './progress/layer-ledger.ts';
import { formatBytes, plural } from './progress/quantity-format.ts';
import { columnsOf, printable } from './progress/text-fit.ts';

const REASON: { readonly [Reason in PlannedBlob['reason']]: string } = {
  missing: 'ECR does not have it',
  present: 'ECR has it',
  'image-present': 'ECR has the image',
  foreign: 'its vendor hands it out',
};
const ROLE: { readonly [Role in PlannedManifest['role']]: string } = {
  root: 'what the tags point to',
  child: 'part of the index',
  referrer: 'refers to the image',
};

type Cells = readonly [string, string, string, string];

/** @param bold for the heads of the tables */
export function planText(plan: ImagePlan, bold: (text: string) => string): string {
  const tables = [
    table(['LAYER', 'SIZE', 'ACTION', 'WHY'], plan.blobs.map(blobCells), bold),
    table(['MANIFEST', 'SIZE', 'ACTION', 'WHAT'], plan.manifests.map(manifestCells), bold),
    ...(plan.tags.length === 0 ? [] : [tagTable(plan.tags, bold)]),
  ];
  const lines = [
    `${plan.repository}@${plan.digest}`,
    `  from ${printable(plan.source)}`,
    ...(plan.repositoryExists ? [] : ['  the repository does not exist yet']),
    ...tables.flatMap((rows) => ['', ...rows]),
    '',
    totalLine(plan),
    callsLine(plan.calls),
  ];
  return `${lines.join('\n')}\n`;
}

/** For people: that nothing was done. */
export function planSummary(plan: ImagePlan): string[] {
  const isDone =
    plan.blobs.every(({ action }) => action === 'skip') &&
    plan.manifests.every(({ action }) => action === 'skip') &&
    plan.tags.every(({ action }) => action === 'unchanged');
  return [isDone ? 'dry run: there is nothing to push' : 'dry run: nothing was pushed'];
}

function blobCells({ digest, sizeBytes, action, reason, kind }: PlannedBlob): Cells {
  const why = kind === 'config' ? `config; ${REASON[reason]}` : REASON[reason];
  return [digestLabel(digest), formatBytes(sizeBytes), action, why];
}

function manifestCells(manifest: PlannedManifest): Cells {
  const { digest, sizeBytes, platform, artifactType, role, action } = manifest;
  const machine =
    platform === undefined
      ? undefined
      : [platform.os, platform.architecture, platform.variant, platform.osVersion]
          .filter((part) => part !== undefined)
          .join('/');
  const what = [machine, artifactType, ROLE[role]].filter((text) => text !== undefined).join('; ');
  return [digestLabel(digest), formatBytes(sizeBytes), action, printable(what)];
}

function tagTable(tags: readonly PlannedTag[], bold: (text: string) => string): string[] {
  const width = Math.max(3, ...tags.map(({ tag }) => columnsOf(tag)));
  const rows = tags.map(({ tag, action, previousDigest }) => {
    const from = previousDigest === undefined ? '' : ` from ${digestLabel(previousDigest)}`;
    return `${tag.padEnd(width)}  ${action === 'moved' ? `moves${from}` : action}`;
  });
  return [bold(`${'TAG'.padEnd(width)}  ACTION`), ...rows];
}

function table(head: Cells, rows: readonly Cells[], bold: (text: string) => string): string[] {
  const format = ([name, size, action, text]: Cells): string =>
    `${name.padEnd(12)}  ${size.padStart(7)}  ${action.padEnd(6)}  ${text}`.trimEnd();
  return [bold(format(head)), ...rows.map(format)];
}

/** `13 blobs: 4 to upload, 120 MB; 9 not, 380 MB`. */
function totalLine(plan: ImagePlan): string {
  const uploadCount = plan.blobs.filter(({ action }) => action === 'upload').length;
  const stayCount = plan.blobs.length - uploadCount;
  const upload =
    uploadCount === 0
      ? 'nothing to upload'
      : `${uploadCount} to upload, ${formatBytes(plan.uploadBytes)}`;
  const stay = stayCount === 0 ? '' : `; ${stayCount} to skip, ${formatBytes(plan.presentBytes)}`;
  return `${plural(plan.blobs.length, 'blob')}: ${upload}${stay}`;
}

function callsLine(calls: ImagePlan['calls']): string {
  const named = Object.entries(calls).filter(([, count]) => count > 0);
  const sum = named.reduce((total, [, count]) => total + count, 0);
  const list = named.map(([operation, count]) => `\n  ${operation} ${count}`).join('');
  return `${plural(sum, 'call')} beside the look-ups${list === '' ? '' : `:${list}`}`;
}
