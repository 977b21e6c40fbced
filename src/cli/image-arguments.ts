/** Declares the options that say which image is meant; a push and a verification share them. */

import { type Command, Option } from 'commander';
import {
  each,
  integerBetween,
  parseBlobPath,
  parseDigest,
  parsePlatform,
} from './option-values.ts';

export function declareImageOptions(command: Command): void {
  command.optionsGroup('Image:');
  command
    .option('--reference <ref>', 'image of a layout or archive, by name or tag')
    .option('--image-digest <digest>', 'image of a layout or archive, by digest', parseDigest)
    .option(
      '--platform <os/arch>',
      'only this platform of an index; repeatable',
      each(parsePlatform),
    )
    .addOption(
      new Option('--compression <kind>', 'of uncompressed layers (default: gzip)').choices([
        'gzip',
        'zstd',
      ]),
    )
    .option('--compression-level <n>', 'gzip 1 to 9 (6), zstd 1 to 19 (3)', integerBetween(1, 19));

  command.optionsGroup('Image in pieces, instead of SOURCE:');
  command
    .option('--manifest <file>', 'the manifest, pushed byte for byte')
    .option('--blob <digest=path>', 'file of a layer or config; repeatable', each(parseBlobPath))
    .option('--blob-directory <dir>', 'folder of such files, named HEX or sha256/HEX');

  command.optionsGroup('Registry as SOURCE:');
  command
    .option('--source-username <name>', "user (default: Docker's configuration)")
    .option('--source-password-stdin', "read that user's password from standard input")
    .option('--source-plain-http', 'HTTP without TLS (default: only for localhost)')
    .option('--source-ca-file <file>', 'PEM certificates to trust');
}
