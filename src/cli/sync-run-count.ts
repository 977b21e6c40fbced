/** A number that grows within a run, and over all runs. */

export class RunCount {
  readonly #increase: (more: number) => void;
  #count = 0;

  /** @param increase adds to the sum of all runs */
  constructor(increase: (more: number) => void) {
    this.#increase = increase;
  }

  /** A new run begins. */
  begin(): void {
    this.#count = 0;
  }

  add(more: number): void {
    this.reach(this.#count + more);
  }

  /** What the run has come to; less than before changes nothing. */
  reach(count: number): void {
    if (count <= this.#count) return;
    this.#increase(count - this.#count);
    this.#count = count;
  }
}
