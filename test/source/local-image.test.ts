import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localImage } from '../../src/index.ts';
import { layoutFiles, newFolder, writeFiles } from './layout-folder.ts';
import { sampleImage } from './image-fixture.ts';
import { newContext, readImage, signal } from './source-context.ts';
import { tarOf } from './tar-fixture.ts';

const image = sampleImage();
const files = layoutFiles({ image, name: 'app' });

function writeArchive(): string {
  const path = join(newFolder(), 'app.tar');
  writeFileSync(path, tarOf([...files].map(([name, body]) => ({ path: name, body }))));
  return path;
}

test.each([
  ['a folder that is a layout', () => writeFiles(files)],
  ['a file that is an archive', writeArchive],
])('%s is taken for what it is', async (_name, make) => {
  const path = make();
  const source = localImage(path);
  expect(source.label).toBe(path);
  const { graph, content } = await readImage(source);
  expect(graph.root.manifest.digest).toBe(image.descriptor.digest);
  expect(new Set(content.keys())).toEqual(new Set(image.content.keys()));
});

test.each([
  ['a layout', () => writeFiles(files)],
  ['an archive', writeArchive],
])('options reach %s', async (_name, make) => {
  const open = (reference: string) =>
    localImage(make(), { reference, label: 'here' }).open(newContext(), signal);
  expect((await open('app')).root.digest).toBe(image.descriptor.digest);
  await expect(open('other')).rejects.toMatchObject({
    code: 'E_IMAGE_NOT_FOUND',
    message: expect.stringContaining('here') as string,
  });
});

test.each([
  ['a folder that is no layout', newFolder, 'E_IMAGE_INVALID', /no OCI image layout/],
  ['a path to nothing', () => join(newFolder(), 'none'), 'E_SOURCE_UNREADABLE', /docker save/],
  ['a device', () => '/dev/null', 'E_SOURCE_UNREADABLE', /neither a folder nor a file/],
])('%s is told of, with what was expected', async (_name, make, code, message) => {
  await expect(readImage(localImage(make()))).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message) as string,
  });
});

test('an option that is wrong is told of at once', () => {
  expect(() => localImage('x', { platform: 'linux' })).toThrow(
    expect.objectContaining({ code: 'E_OPTION_INVALID' }),
  );
});
