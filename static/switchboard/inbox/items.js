// What is in the inbox, as far as this client knows.

/**
 * @typedef {object} Item
 * @property {string} notification_id
 * @property {string} stream_id its place: "<milliseconds>-0", growing within one inbox
 * @property {string} message
 * @property {string} created_at ISO 8601
 * @property {string} source
 * @property {"unread" | "read" | "auto_cleared"} status
 * @property {boolean} read
 * @property {string | null} [expires_at]
 * @property {number} [priority] 0 critical to 3 low
 * @property {object} [data] free fields of the sender
 * @property {number} [edition] grows when the sender changes the text
 */

/** The number in a stream id; 0 for none. A position fits a double until the year 287396. */
export const positionOf = (streamId) => Number.parseInt(streamId ?? "0", 10) || 0;

/** A list by notification id, newest first. */
export class Items {
  #byId = new Map();
  #sorted = null;
  #round = 0;

  /** @param {number} keep how many are kept; the oldest that are not unread leave first */
  constructor(keep = 500) {
    this.keep = keep;
    this.beyond = 0; // unread ones that the server knows and we do not hold
  }

  get size() {
    return this.#byId.size;
  }

  /** @returns {Item | undefined} */
  get(id) {
    return this.#byId.get(id)?.item;
  }

  /** @returns {Item[]} newest first; the same array until something changes */
  list() {
    this.#sorted ??= [...this.#byId.values()]
      .map((entry) => entry.item)
      .sort((a, b) => positionOf(b.stream_id) - positionOf(a.stream_id));
    return this.#sorted;
  }

  /** How many are unread, those beyond our list included. */
  get unread() {
    let count = 0;
    for (const { item } of this.#byId.values()) if (item.status === "unread") count += 1;
    return count + this.beyond;
  }

  /** Put or replace one. Returns whether it was not there before. */
  put(item) {
    const isNew = !this.#byId.has(item.notification_id);
    this.#byId.set(item.notification_id, { item, round: this.#round });
    this.#sorted = null;
    return isNew;
  }

  /** Change fields of one. Returns it, or undefined if it is not here. */
  change(id, fields) {
    const entry = this.#byId.get(id);
    if (!entry) return undefined;
    entry.item = { ...entry.item, ...fields };
    this.#sorted = null;
    return entry.item;
  }

  /** Take one out. Returns it, or undefined if it was not here. */
  remove(id) {
    const item = this.get(id);
    if (this.#byId.delete(id)) this.#sorted = null;
    return item;
  }

  /** A full sync begins: what it does not name is gone when it ends. */
  begin() {
    this.#round += 1;
  }

  /** The full sync is whole. */
  end() {
    for (const [id, entry] of this.#byId) if (entry.round !== this.#round) this.#byId.delete(id);
    this.#sorted = null;
  }

  /** Let go of the oldest, so that a page that is open for weeks does not grow. */
  trim() {
    if (this.#byId.size <= this.keep) return;
    const old = this.list().slice(this.keep).filter((item) => item.status !== "unread");
    for (const item of old) this.#byId.delete(item.notification_id);
    if (old.length) this.#sorted = null;
  }
}
