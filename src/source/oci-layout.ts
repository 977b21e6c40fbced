/** An open OCI image layout, in a folder or an archive. Loaded only when one is opened. */

import type { Digest } from '../digest.ts';
import type { Descriptor } from '../image/descriptor.ts';
import type { OpenImage } from '../image/image-source.ts';
import { isImageType } from '../image/media-type.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import type { FileTree } from './file-tree.ts';
import type { ImageChoice } from './image-choice.ts';
import { chooseEntry } from './layout-choice.ts';
import { LayoutContent } from './layout-content.ts';

/** @throws LongshoreError E_IMAGE_INVALID, E_IMAGE_NOT_FOUND, E_IMAGE_AMBIGUOUS, E_SOURCE_UNREADABLE */
export async function openOciLayout(
  tree: FileTree,
  choice: ImageChoice,
  signal: AbortSignal,
): Promise<OciLayout> {
  const content = await LayoutContent.read(tree, signal);
  const entry = await chooseEntry(content, choice, signal);
  const platform = await content.platformOf(entry, signal);
  return new OciLayout(content, platform === undefined ? entry : { ...entry, platform });
}

export class OciLayout implements OpenImage {
  readonly root: Descriptor;
  readonly content: LayoutContent;
  #referrers: Promise<ReadonlyMap<Digest, readonly Descriptor[]>> | undefined;

  constructor(content: LayoutContent, root: Descriptor) {
    this.content = content;
    this.root = root;
  }

  readManifest(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    return this.content.readBytes(descriptor, signal);
  }

  blob(descriptor: Descriptor): LayerSource {
    return this.content.blob(descriptor);
  }

  async referrers(digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]> {
    this.#referrers ??= referrersIn(this.content, signal);
    return (await this.#referrers).get(digest) ?? [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** By what they refer to: of the entries, and of what the entries list. */
async function referrersIn(
  content: LayoutContent,
  signal: AbortSignal,
): Promise<ReadonlyMap<Digest, readonly Descriptor[]>> {
  const found = new Map<Digest, Descriptor>();
  for (const entry of content.entries) {
    found.set(entry.digest, entry);
    for (const child of (await content.manifest(entry, signal))?.manifests ?? []) {
      if (!found.has(child.digest)) found.set(child.digest, child);
    }
  }
  const bySubject = new Map<Digest, Descriptor[]>();
  for (const descriptor of found.values()) {
    const manifest = await content.manifest(descriptor, signal);
    if (manifest?.subject === undefined) continue;
    const { digest } = manifest.subject;
    const artifactType =
      manifest.artifactType ??
      (isImageType(manifest.mediaType) ? manifest.config?.mediaType : undefined);
    const known = bySubject.get(digest) ?? [];
    known.push({ ...descriptor, ...(artifactType !== undefined && { artifactType }) });
    bySubject.set(digest, known);
  }
  return bySubject;
}
