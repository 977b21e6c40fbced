/** What a sync is told: where images come from, which of them, and where they go. */

import type { RepositorySettings } from '../uploader/uploader-options.ts';

/** A configuration as the library takes it; {@link readSyncConfig} makes one of a YAML file. */
export interface SyncConfig {
  /** Settings of source registries by host, as references have it: `docker.io`, `ghcr.io`. */
  readonly registries?: Readonly<Record<string, SourceRegistrySettings>>;
  /** The registries to fill, by names of your own; one account and region each. */
  readonly targets: Readonly<Record<string, TargetSettings>>;
  readonly mappings: readonly SyncMapping[];
}

/** How a source registry is reached. Without settings: Docker's logins, TLS, proxies of the environment. */
export interface SourceRegistrySettings {
  /** Default: Docker's configuration and its credential helpers; for ECR, AWS's credentials. */
  readonly credentials?: {
    readonly username: string;
    /** Environment variable that holds the password. */
    readonly passwordEnv: string;
  };
  /** Default: only for `localhost` and loopback addresses. */
  readonly plainHttp?: boolean;
  /** A file of PEM certificates to trust beside Node's own. */
  readonly certificateAuthorityFile?: string;
  /** Requests at once, downloads included, 1..256. Default 32. */
  readonly requestsInFlight?: number;
}

/** One ECR registry to fill. */
export interface TargetSettings {
  /** Default: AWS's settings chain. */
  readonly region?: string;
  /** 12 digits. Default: the account of the credentials. */
  readonly registryId?: string;
  /** Profile of AWS's configuration files. */
  readonly profile?: string;
  /** Default: AWS's own. */
  readonly endpoint?: string;
  /** Calls per second by operation; see `UploaderOptions`. */
  readonly callsPerSecondMax?: Readonly<Record<string, number>>;
}

/** Which images go where. */
export interface SyncMapping {
  /**
   * Source repositories: `docker.io/library/nginx`, or with `*` and `**` in the repository part
   * (`ghcr.io/team/*`), which lists the registry; or a folder with an OCI layout: `oci:./images`.
   */
  readonly from: string | readonly string[];
  /**
   * Repository in the target; `{registry}`, `{repository}`, `{namespace}` and `{name}` stand for those of
   * the source. Default `{repository}`.
   */
  readonly to?: string;
  /** Names in `targets`. Default: all. */
  readonly targets?: readonly string[];
  /** Default: every tag. */
  readonly tags?: TagFilter;
  /** `os/architecture[/variant]`; default all. Of several, an index of only these is made. */
  readonly platforms?: readonly string[];
  /** Also copies signatures, SBOMs and the like. Default false. */
  readonly referrers?: boolean;
  /**
   * Globs of tags that never move at the source: where such a tag is in the target it is not looked at
   * again. Default none.
   */
  readonly immutableTags?: readonly string[];
  /** Creates missing repositories, with these settings or ECR's defaults. Default false. */
  readonly createRepository?: boolean | RepositorySettings;
}

/**
 * A tag is taken if one of `include`, `regex`, `semver` takes it (or none of them is given) and `exclude`
 * does not; of those the `newest`.
 */
export interface TagFilter {
  /** Tags, or globs with `*`, `?`, `[...]`, `{a,b}`. Literal tags are not looked up in a list. */
  readonly include?: readonly string[];
  /** JavaScript regular expressions that must match the whole tag. */
  readonly regex?: readonly string[];
  /** A range as npm has it: `>=1.20 <2 || ~3.1`. A leading `v` is overlooked. */
  readonly semver?: string;
  /** Takes prereleases (`1.2.0-rc.1`) into `semver` as well. Default false. */
  readonly prereleases?: boolean;
  /** Globs of tags never to be taken. */
  readonly exclude?: readonly string[];
  /** How many to keep at most: those of the highest version, others by name, the last first. */
  readonly newest?: number;
}
