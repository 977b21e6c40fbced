/** The parts of `longshore layer --help` beside the table of options. */

export const LAYER_DESCRIPTION = `\
Uploads layer files side by side, several parts of each at once.

FILE is a layer as a registry stores it, usually a .tar.gz; - is standard input.
What ECR has already is not sent. The digest that ECR reports is compared with
the SHA-256 of what was read.`;

export const LAYER_EPILOGUE = `
Output:
  One line a layer on standard output, when it is done:
    sha256:<digest> <size in bytes> <uploaded|already-present> <file>
  With --json one JSON object a line: the receipt, or {"file", "repository",
  "error": {"code", "message", "details", "retryable", "origin"}}.
  Progress and errors go to standard error. The solid part of a bar is what ECR
  acknowledged, the shaded part is on the wire. MB are decimal, MiB are not.

Exit codes:
  0    every layer is in the repository
  1    every layer failed
  2    wrong usage, nothing was started
  3    some layers failed
  130  interrupted: the first Ctrl-C finishes what runs, the second stops it

An upload that was interrupted or killed goes on with the same command, at the
first byte that ECR lacks: a file if it has not changed, standard input if
--digest names it. What it takes is kept in XDG_STATE_HOME/longshore, or in
~/.local/state/longshore.

Examples:
  $ longshore layer layer.tar.gz --repository team/app
  $ longshore layer build/*.tar.gz -r team/app --create-repository --json
  $ tar -c rootfs | gzip -1 | longshore layer - -r team/app
  $ longshore layer big.tar.gz -r team/app --part-size 20 --parts-in-flight 8
`;
