/** The parts of `longshore sync --help` beside the table of options. */

export const SYNC_DESCRIPTION = `\
Copies the images that FILE names from any registries into ECR. A blob travels
once to a target and is mounted from then on; what is there is left alone.`;

export const SYNC_EPILOGUE = `
FILE is YAML:
  version: 1
  targets:
    prod: { region: eu-central-1 }
  mappings:
    - from: docker.io/library/nginx
      to: mirror/{name}
      tags: { semver: '>=1.25', newest: 5 }
      createRepository: true

Output:
  One line on standard output: OUTCOME copied=N skipped=N failed=N not-started=N
  with an OUTCOME of done, partial, failed or interrupted. With --dry-run the
  plan: each tag and why, and for each target the blobs, the calls, and how long
  the quotas alone take. With --json one JSON object: the report, the plan, or
  {"error": {"code", "message", "details", "retryable", "origin"}}.
  Progress, a summary and errors go to standard error.

  With --watch FILE is read anew for every run, a failed run does not end it,
  and Ctrl-C does. --listen offers /healthz (200 if the last run did everything,
  or the first is under way; else 503) and /metrics for Prometheus.

Exit codes:
  0    everything is done; or --watch was ended between two runs
  1    everything failed
  2    wrong usage or an invalid FILE, nothing was started
  3    partly failed; pass the --report to --only-failed to try the rest again
  130  interrupted: the first Ctrl-C finishes the images that are being copied,
       the second stops at once
  With --dry-run they tell whether some or all tags cannot be copied.

Images are found again by what is in the targets. Layers that were being sent
go on at the first byte that ECR lacks; what that takes is kept in
XDG_STATE_HOME/longshore, and what spares look-ups in XDG_CACHE_HOME/longshore.

Examples:
  $ longshore sync mirror.yaml --dry-run
  $ longshore sync mirror.yaml --report report.json
  $ longshore sync mirror.yaml --only-failed report.json
  $ longshore sync mirror.yaml --watch 15m --listen :9090
  $ longshore sync skopeo.yaml --import skopeo > mirror.yaml
`;
