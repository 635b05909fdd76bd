// Reads that the server has not confirmed yet.

/**
 * A queue of notification ids, each once. An id stays until the server confirms it, so a read that
 * was made offline, or got lost with its connection, is sent again: reads are idempotent.
 *
 * With a storage (localStorage) the queue also survives that the page is closed. Every id has a key
 * of its own there, so that several tabs never overwrite each other.
 */
export class Reads {
  #sent = new Map(); // id -> whether it went out on the present connection
  #storage;
  #prefix;

  /**
   * @param {Storage | null} storage
   * @param {string} name whose reads these are, for instance "1-alice"
   */
  constructor(storage = null, name = "") {
    this.#storage = storage;
    this.#prefix = `inbox:read:${name}:`;
    for (let place = 0; place < (storage?.length ?? 0); place += 1) {
      const key = storage.key(place);
      if (key.startsWith(this.#prefix)) this.#sent.set(key.slice(this.#prefix.length), false);
    }
  }

  /** How many the server has not confirmed. */
  get size() {
    return this.#sent.size;
  }

  /** Whether some went out on the present connection and are not confirmed. */
  get areOut() {
    return [...this.#sent.values()].includes(true);
  }

  /** Whether this one waits to be confirmed. */
  has(id) {
    return this.#sent.has(id);
  }

  add(id) {
    if (this.#sent.has(id)) return;
    this.#sent.set(id, false);
    try {
      this.#storage?.setItem(this.#prefix + id, "1");
    } catch (error) {
      // A full or forbidden storage: the queue then lives as long as the page does.
      console.warn("A read is kept in memory only:", error.message);
    }
  }

  /** The server knows it (or knows no such notification): forget it. */
  done(id) {
    this.#storage?.removeItem(this.#prefix + id);
    return this.#sent.delete(id);
  }

  /** A new connection, or the server threw frames away: whatever is not confirmed goes out again. */
  again() {
    for (const id of this.#sent.keys()) this.#sent.set(id, false);
  }

  /** Up to `most` ids that are to be sent now; they count as sent from here on. */
  take(most) {
    const taken = [];
    for (const [id, isSent] of this.#sent) {
      if (isSent) continue;
      if (taken.length === most) break;
      taken.push(id);
      this.#sent.set(id, true);
    }
    return taken;
  }
}
