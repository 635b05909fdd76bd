// How long to wait before the next try to connect.

/**
 * Full jitter: a delay is drawn evenly from `least` to a ceiling that doubles with every try.
 *
 * Ten thousand clients that lost one server at the same moment come back spread over the whole
 * span instead of all at once, and those who are refused come back later and later.
 */
export class Backoff {
  #tries = 0;

  /**
   * @param {object} [options]
   * @param {number} [options.least] no delay is shorter, in ms
   * @param {number} [options.first] ceiling of the first delay, in ms
   * @param {number} [options.most] no ceiling is higher, in ms
   * @param {() => number} [options.random] from 0 to 1, as Math.random
   */
  constructor({ least = 100, first = 1000, most = 30_000, random = Math.random } = {}) {
    Object.assign(this, { least, first, most, random });
  }

  /** Ceiling of the delay that comes next, in ms. */
  get ceiling() {
    return Math.min(this.most, this.first * 2 ** this.#tries);
  }

  /** Draw a delay in ms, and raise the ceiling. */
  next() {
    const delay = this.least + this.random() * Math.max(0, this.ceiling - this.least);
    this.#tries = Math.min(this.#tries + 1, 30);
    return Math.round(delay);
  }

  /** A connection has held: begin again from the first ceiling. */
  reset() {
    this.#tries = 0;
  }
}
