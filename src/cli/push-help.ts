/** The parts of `longshore push --help` beside the table of options. */

export const PUSH_DESCRIPTION = `\
Pushes an image, an index or an artifact to ECR, manifests byte for byte. Only
what ECR does not have is sent, the largest layers first; tags come last.`;

export const PUSH_EPILOGUE = `
SOURCE is one of
  oci:PATH[:REFERENCE]             OCI layout folder
  oci-archive:PATH[:REFERENCE]     OCI layout in a tar file
  docker-archive:PATH[:REFERENCE]  what docker save writes
  docker://REFERENCE               image in a registry
  PATH                             an existing folder or archive, found out
  REFERENCE                        with a host, a tag or a digest, as docker://
  -                                archive on standard input
Archives may be compressed with gzip.

REPOSITORY may begin with the host of an ECR registry, such as
123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/app:1.0, which then tells
account and region.

Output:
  One line on standard output: REPOSITORY@DIGEST <pushed|already-present> TAG...
  With --dry-run the plan: each layer, manifest and tag, and the calls.
  With --json one JSON object: the receipt, the plan, or {"error": {"code",
  "message", "details", "retryable", "origin"}}.
  Progress, a summary and errors go to standard error. Bars count bytes that
  have to travel. MB are decimal, MiB are not.

Exit codes:
  0    the image is in the repository with all its tags
  1    it is not; what was completed stays for the next push
  2    wrong usage, nothing was started
  130  interrupted: the first Ctrl-C finishes the layers that are being sent,
       the second stops at once

Layers that were being sent when a push was stopped or killed go on with the
same command, at the first byte that ECR lacks. What it takes is kept in
XDG_STATE_HOME/longshore, or in ~/.local/state/longshore.

Examples:
  $ longshore push build/oci team/app:1.0 --tag latest
  $ docker save app | longshore push - team/app:1.0 --create-repository
  $ longshore push docker://ghcr.io/org/app:1 team/app:1 --platform linux/arm64
  $ longshore push --manifest m.json --blob-directory blobs team/app:1.0
  $ longshore push app.tar.gz team/app:1.0 --dry-run
`;
