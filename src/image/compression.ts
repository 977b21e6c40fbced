import { optionInvalid } from '../errors.ts';
import type { Compression } from './image-source.ts';

const LEVELS = {
  gzip: { min: 1, max: 9, byDefault: 6 },
  zstd: { min: 1, max: 19, byDefault: 3 },
} as const;

/** Fills in the defaults. @throws LongshoreError E_OPTION_INVALID */
export function resolveCompression(
  { kind, level }: Compression = { kind: 'gzip' },
): Required<Compression> {
  const range = Object.hasOwn(LEVELS, kind) ? LEVELS[kind] : undefined;
  if (range === undefined) throw optionInvalid('compression', "'gzip' or 'zstd'", kind);
  const chosen = level ?? range.byDefault;
  if (Number.isInteger(chosen) && chosen >= range.min && chosen <= range.max) {
    return { kind, level: chosen };
  }
  const expected = `an integer from ${range.min} to ${range.max} for ${kind}`;
  throw optionInvalid('compression.level', expected, String(chosen));
}
