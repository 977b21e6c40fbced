/** A mutant is caught by the first counterexample, however large: nobody reads a smaller one. */

import fc from 'fast-check';

fc.configureGlobal({ endOnFailure: true });
