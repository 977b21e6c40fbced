/** How the process ends; scripts branch on these, so they never change meaning. */
export const EXIT_DONE = 0;
/** Nothing of what was asked for was done. */
export const EXIT_FAILED = 1;
/** The command line or an option is wrong; nothing was started. */
export const EXIT_USAGE = 2;
/** Some of it was done, some failed. */
export const EXIT_PARTLY_FAILED = 3;
/** Ended by Ctrl-C or SIGTERM. */
export const EXIT_INTERRUPTED = 130;
