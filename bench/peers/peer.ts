/** Other people's programs that push an image: how each is called, from its own documentation. */

/** What is pushed and where to. */
export interface PeerTarget {
  /** Folder of an OCI layout with one image, whose tag is `latest`. */
  readonly layout: string;
  readonly registryHost: string;
  readonly repository: string;
  readonly username: string;
  readonly password: string;
  /** An empty folder of this run alone, for files the program reads. */
  readonly folder: string;
}

export interface PeerCommand {
  readonly parameters: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Content by name, written into the target's folder first. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface PeerSetting {
  readonly name: 'default' | 'best';
  /** What is unlike the default, for the reader. */
  readonly summary: string;
  /** An option the installed version must know: it stands in what `helpParameters` print. */
  readonly needs?: string;
  command(target: PeerTarget): PeerCommand;
}

export interface Peer {
  readonly name: string;
  readonly executable: string;
  /** For a machine that lacks it. */
  readonly install: string;
  readonly versionParameters: readonly string[];
  readonly helpParameters: readonly string[];
  readonly settings: readonly PeerSetting[];
}

/** As many layers at once as the uneven image has. */
export const BEST_IN_FLIGHT = 12;

/** What `docker login` leaves behind; several programs read it. */
export function dockerConfiguration({ registryHost, username, password }: PeerTarget): string {
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  return JSON.stringify({ auths: { [registryHost]: { auth } } });
}

/** `host/repository:latest` */
export function imageName({ registryHost, repository }: PeerTarget): string {
  return `${registryHost}/${repository}:latest`;
}
