/** The library's image sources, as far as the command line uses them. */

export type ImageConstructors = Pick<
  typeof import('../index.ts'),
  | 'archiveImage'
  | 'ecrCredentials'
  | 'localImage'
  | 'manifestImage'
  | 'ociLayoutImage'
  | 'registryImage'
>;
