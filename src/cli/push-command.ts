/** `longshore push`: pushes one image, or tells what a push would do. */

import type { ImageRequest, UploaderOptions } from '../index.ts';
import type { CliContext } from './context.ts';
import { chooseImage } from './image-choice.ts';
import { endImage } from './image-ending.ts';
import { imageSettingsOf } from './image-flags.ts';
import { runImage } from './image-run.ts';
import { planSummary, planText } from './plan-report.ts';
import { chooseProgressKind, startProgress } from './progress/progress-start.ts';
import { chooseStyle } from './progress/style.ts';
import type { PushFlags } from './push-flags.ts';
import { pushLine, pushSummary } from './push-report.ts';
import { repositorySettingsOf } from './repository-settings.ts';
import {
  hostOptionsOf,
  parseRepositoryTarget,
  type RepositoryTarget,
} from './repository-target.ts';
import { resumeOptionOf } from './resume-directory.ts';
import { uploaderOptionsOf } from './uploader-flags.ts';
import { UsageError } from './usage-error.ts';

const INTERRUPTED = 'interrupted: not pushed; finished layers stay for the next push';

/** @returns the exit code */
export async function runPushCommand(
  context: CliContext,
  words: readonly [string | undefined, string | undefined],
  flags: PushFlags,
): Promise<number> {
  const { source, repository } = sortWords(words, flags);
  const target = parseRepositoryTarget(repository);
  if (target.digest !== undefined) {
    throw new UsageError(`${repository}: the image tells its digest; give a tag, or none`);
  }
  const options = optionsOf(context, target, flags);
  const settings = imageSettingsOf(flags);
  const { image, usesStdin } = await chooseImage(context, source, flags);
  const request: ImageRequest = {
    repository: target.repository,
    image,
    tags: tagsOf(target, flags),
    ...(flags.referrers !== undefined && { referrers: flags.referrers }),
    ...settings,
  };
  try {
    return await pushOrPlan(context, options, request, flags);
  } finally {
    if (usesStdin) context.stdin.destroy();
  }
}

async function pushOrPlan(
  context: CliContext,
  options: UploaderOptions,
  request: ImageRequest,
  flags: PushFlags,
): Promise<number> {
  const uploader = await context.createUploader(options);
  const quiet = flags.quiet === true;
  const kind = chooseProgressKind(context, { quiet, progress: flags.progress });
  const progress = startProgress(context, kind, undefined, () => uploader.snapshot());
  try {
    if (flags.dryRun === true) {
      const run = await runImage(context, uploader, progress, (call) =>
        uploader.planImage(request, call),
      );
      progress.stop();
      const { bold } = chooseStyle(context, context.stdout).colors;
      return endImage(context, run, flags, {
        result: (plan) => planText(plan, bold),
        summary: planSummary,
        interrupted: 'interrupted',
      });
    }
    const run = await runImage(context, uploader, progress, (call) =>
      uploader.pushImage(request, call),
    );
    progress.stop();
    const texts = { result: pushLine, summary: pushSummary, interrupted: INTERRUPTED };
    return endImage(context, run, flags, texts);
  } finally {
    progress.stop();
  }
}

/** With `--manifest` there is no SOURCE, so the first word is REPOSITORY. */
function sortWords(
  [first, second]: readonly [string | undefined, string | undefined],
  flags: PushFlags,
): { readonly source: string | undefined; readonly repository: string } {
  if (first === undefined) throw new UsageError('SOURCE and REPOSITORY are missing');
  if (second !== undefined) return { source: first, repository: second };
  if (flags.manifest !== undefined) return { source: undefined, repository: first };
  throw new UsageError(`REPOSITORY is missing: where is ${first} to be pushed?`);
}

function optionsOf(
  context: CliContext,
  target: RepositoryTarget,
  flags: PushFlags,
): UploaderOptions {
  const createRepository = repositorySettingsOf(flags);
  return {
    ...uploaderOptionsOf(flags),
    ...resumeOptionOf(context, flags),
    ...hostOptionsOf(target.host, flags),
    ...(createRepository !== undefined && { createRepository }),
  };
}

/** Each once, in the order in which they were given. */
function tagsOf(target: RepositoryTarget, flags: PushFlags): string[] {
  const inWord = target.tag === undefined ? [] : [target.tag];
  return [...new Set([...inWord, ...(flags.tag ?? [])])];
}
