/** The command line is wrong in a way that only a look at all of it shows. */
export class UsageError extends Error {}
