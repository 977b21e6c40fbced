/** Every parser that meets bytes from outside. */

import type { FuzzTarget } from '../fuzz-target.ts';
import { archives } from './archives.ts';
import { ecrReplies } from './ecr-replies.ts';
import { emulatorRequests } from './emulator-requests.ts';
import { imageDocuments } from './image-documents.ts';
import { journals } from './journals.ts';
import { registryReplies } from './registry-replies.ts';
import { spokenWords } from './spoken-words.ts';
import { syncFiles } from './sync-files.ts';

export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  ...imageDocuments,
  ...archives,
  ...registryReplies,
  ...ecrReplies,
  ...emulatorRequests,
  ...journals,
  ...spokenWords,
  ...syncFiles,
];
