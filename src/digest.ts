/** A digest as OCI and ECR write it: `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = `sha256:${string}`;

const SHA256_DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Tells whether `value` is a well-formed sha256 digest. */
export function isDigest(value: unknown): value is Digest {
  return typeof value === 'string' && SHA256_DIGEST.test(value);
}

/** Puts the algorithm before 64 hexadecimal digits. */
export function digestFromHex(hex: string): Digest {
  return `sha256:${hex}`;
}
