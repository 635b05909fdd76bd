// A client of the inbox: one person's notifications, live, on one screen. No library, no build step.
//
//   import { Inbox } from "/static/switchboard/inbox/client.js";
//
//   const inbox = new Inbox({
//     identify: async () => ({ ticket: await myBackend.askForTicket() }),
//     name: "1-alice",
//     storage: localStorage,
//   });
//   inbox.addEventListener("change", () => draw(inbox.items, inbox.unread));
//   inbox.addEventListener("push", ({ detail }) => { if (detail.origin === "live") ring(detail.item); });
//   inbox.open();
//   inbox.read(id);
//
// What it sees to: it comes back by itself, spread over time, and with a new ticket; it says where it
// stopped, and gets exactly what it missed (or the whole again when that is not known any more); reads
// made offline wait and are sent later; what happens on other screens of the person happens here.
// Every tab has a socket of its own, and the server tells each of them everything. docs/inbox-clients.md
import { Backoff } from "./backoff.js";
import { Items, positionOf } from "./items.js";
import { Reads } from "./reads.js";

export { Backoff, Items, Reads, positionOf };

// The server takes 50 frames a second and drops the rest. Its second is that in which it reads them, so a
// burst goes out half a second after the one before it was confirmed.
const BURST = 20;
const BURST_EVERY_MS = 500;
const SLOWED_MS = 1500;
const CONNECT_MS = 15_000; // from the first byte to the session frame
const ANSWER_MS = 15_000; // for history() and keepFor()
const PONG_MS = 10_000;
const LOOK_MS = 5_000; // how often the silence is measured
const STEADY_MS = 5_000; // a connection that held so long was a good one
const CROWDED_MS = 10_000; // least wait after "too many connections"

/** Close codes after which another try would end the same way. */
const FINAL = new Map([[4403, "This page may not connect: its origin is not on the server's list."]]);
/** Tickets live for seconds. One refusal may be bad luck, several in a row are an answer. */
const REFUSALS = 3;

/** Throw it from `identify` when asking again cannot help (the person is logged out). */
export class Refused extends Error {}

/**
 * Events (all CustomEvents, what they carry is in `detail`):
 *
 * - `state` {state, retryInMs?, why?}: idle, connecting, open, waiting, refused, closed
 * - `change` {}: items or unread are not what they were; at most one per turn of the event loop
 * - `push` {item, origin}: a notification; origin is "live", "missed" (while away) or "sync" (known before)
 * - `read` {id, item, mine}: it is read, here (mine) or on another screen
 * - `update` {item}, `recall` {id, item, reason}, `auto_cleared` {id, item}
 * - `synced` {recovered, count}: whole again after a connect
 * - `problem` {code, message}: the server refused a frame
 */
export class Inbox extends EventTarget {
  #address;
  #identify;
  #device;
  #backoff;
  #items;
  #reads;
  #state = "idle";
  #isWanted = false;
  #turn = 0; // a later turn makes whatever an earlier one still waits for void
  #socket = null;
  #timers = new Map();
  #isBurstOut = false;
  #cursor = 0; // position up to which nothing is missing
  #epoch = "";
  #session = null;
  #follows = 0; // frames of the sync that are still to come
  #counted = 0;
  #openedAt = 0;
  #heardAt = 0;
  #pingedAt = 0;
  #refusals = 0;
  #awayUntil = 0; // the server asked to come back then
  #asked = { "sync.response": [], "retention.set.ack": [] };
  #isChangeTold = true;
  #ears = new AbortController();

  /**
   * @param {object} options
   * @param {() => Promise<{ticket: string} | {user_id: number, login: string}>} options.identify
   *   asked before every connect, since a ticket serves once
   * @param {string} [options.address] of the server's /ws; default: the host of the page
   * @param {string} [options.device] name of this screen, shown to operators; 80 characters at most
   * @param {string} [options.name] whose inbox: keeps the stored reads of two people apart
   * @param {Storage | null} [options.storage] localStorage, to keep reads when the page is closed
   * @param {number} [options.keep] how many notifications to hold
   * @param {Backoff} [options.backoff]
   */
  constructor({
    identify, address = "/ws", device = "", name = "", storage = null, keep = 500,
    backoff = new Backoff(),
  }) {
    super();
    this.#identify = identify;
    this.#address = new URL(address, location.href);
    this.#address.protocol = this.#address.protocol.replace("http", "ws");
    this.#device = device.slice(0, 80);
    this.#backoff = backoff;
    this.#items = new Items(keep);
    this.#reads = new Reads(storage, name);
  }

  // ---- what a page asks ----

  /** @returns {import("./items.js").Item[]} newest first; do not change it */
  get items() {
    return this.#items.list();
  }

  get unread() {
    return this.#items.unread;
  }

  get state() {
    return this.#state;
  }

  /** How many reads the server has not confirmed yet. */
  get waiting() {
    return this.#reads.size;
  }

  /** Where a recovery would begin. */
  get position() {
    return { stream_id: this.#cursor ? `${this.#cursor}-0` : "", epoch: this.#epoch };
  }

  /** The server's name of this connection, or null. */
  get clientId() {
    return this.#session?.client_id ?? null;
  }

  // ---- what a page does ----

  /** Connect, and stay connected until close(). */
  open() {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#refusals = 0;
    this.#ears = new AbortController();
    const { signal } = this.#ears;
    // The network is back, or the laptop was opened: find out now and not at the end of a timer.
    addEventListener("online", () => this.#hurry(), { signal });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.#hurry(); }, { signal });
    this.#connect();
  }

  /** Disconnect and stay so. Unsent reads are kept, and go out after the next open(). */
  close() {
    if (!this.#isWanted) return;
    this.#isWanted = false;
    this.#ears.abort();
    this.#leave();
    this.#say("closed");
  }

  /** Mark one as read: at once here, on the server as soon as it can be reached. Safe to repeat. */
  read(id) {
    const item = this.#items.get(id);
    if (item?.read) return;
    this.#reads.add(id);
    if (item?.status === "unread") this.#items.change(id, { status: "read", read: true });
    this.#changed();
    this.#emit("read", { id, item: this.#items.get(id), mine: true });
    this.#pump();
  }

  /** Mark everything as read that is unread and in the list. */
  readAll() {
    for (const item of this.items) if (item.status === "unread") this.read(item.notification_id);
  }

  /**
   * Ask for older ones and put them into the list.
   * @param {object} [options]
   * @param {number} [options.limit] 1 to 100
   * @param {string} [options.before] a stream id; default: the oldest in the list
   * @returns {Promise<import("./items.js").Item[]>} what came, oldest first; rejects when offline
   */
  history({ limit = 50, before = this.items.at(-1)?.stream_id } = {}) {
    return this.#ask("sync.response", "sync.request", before ? { limit, before } : { limit });
  }

  /** How many days (1 to 15) the server keeps the notifications of this person. Rejects when offline. */
  keepFor(days) {
    return this.#ask("retention.set.ack", "retention.set", { days });
  }

  // ---- connecting ----

  async #connect() {
    this.#leave();
    const turn = this.#turn;
    this.#say("connecting");
    let identity;
    try {
      identity = await this.#identify();
    } catch (error) {
      if (turn !== this.#turn) return;
      if (error instanceof Refused) this.#refuse(error.message);
      else this.#wait(this.#backoff.next(), `No ticket: ${error.message}`);
      return;
    }
    if (turn !== this.#turn) return;
    const address = new URL(this.#address);
    const query = { ...identity, device: this.#device };
    if (this.#epoch && this.#cursor) Object.assign(query, this.position);
    for (const [key, value] of Object.entries(query)) {
      if (value !== "") address.searchParams.set(key, value);
    }
    const socket = new WebSocket(address);
    this.#socket = socket;
    this.#later("connect", CONNECT_MS, () => this.#lost({ code: 0, reason: "The server took too long." }));
    socket.addEventListener("message", (event) => { if (turn === this.#turn) this.#hear(event.data); });
    socket.addEventListener("close", (event) => { if (turn === this.#turn) this.#lost(event); });
  }

  /** Drop the present connection and everything that waits for it. */
  #leave() {
    this.#turn += 1;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#socket?.close(1000);
    this.#socket = null;
    this.#session = null;
    this.#follows = 0;
    for (const name of Object.keys(this.#asked)) {
      for (const { reject } of this.#asked[name].splice(0)) reject(new Error("The connection was lost."));
    }
  }

  #lost({ code, reason }) {
    const held = this.#session ? performance.now() - this.#openedAt : 0;
    this.#leave();
    if (FINAL.has(code)) return this.#refuse(FINAL.get(code));
    if (code === 4401 && (this.#refusals += 1) >= REFUSALS) {
      return this.#refuse(reason || "The server does not take this identity.");
    }
    if (held > STEADY_MS) this.#backoff.reset();
    let delay = this.#backoff.next();
    if (code === 4429) delay += CROWDED_MS;
    delay = Math.max(delay, this.#awayUntil - performance.now());
    return this.#wait(delay, reason || (code === 1012 ? "The server restarts." : ""));
  }

  #wait(delay, why) {
    this.#say("waiting", { retryInMs: Math.round(delay), why });
    this.#later("retry", delay, () => this.#connect());
  }

  #refuse(why) {
    this.#isWanted = false;
    this.#ears.abort();
    this.#leave();
    this.#say("refused", { why });
  }

  /** Try now what a timer would try later; ask whether an open connection still lives. */
  #hurry() {
    if (this.#state === "waiting" && performance.now() >= this.#awayUntil) this.#connect();
    else if (this.#state === "open" && !this.#pingedAt) this.#ping();
  }

  /** The server goes away soon and says when to come back; it has spread its clients already. */
  #comeBack({ after_ms: after = 0 }) {
    this.#awayUntil = performance.now() + after;
    this.#backoff.reset();
    this.#later("retry", after, () => this.#connect());
  }

  // ---- silence ----

  #watch() {
    this.#later("watch", LOOK_MS, () => {
      const silence = performance.now() - this.#heardAt;
      if (this.#pingedAt && performance.now() - this.#pingedAt > PONG_MS) {
        this.#lost({ code: 0, reason: "The connection went silent." });
        return;
      }
      if (!this.#pingedAt && silence > (this.#session?.ping_s ?? 25) * 1000) this.#ping();
      this.#watch();
    });
  }

  #ping() {
    this.#pingedAt = performance.now();
    this.#send("ping");
    // Timers of a hidden page are late; what counts is when one is looked at.
    this.#later("pong", PONG_MS, () => {
      if (this.#pingedAt) this.#lost({ code: 0, reason: "The connection went silent." });
    });
  }

  // ---- frames ----

  #hear(text) {
    this.#heardAt = performance.now();
    this.#pingedAt = 0;
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      this.#emit("problem", { code: "not_json", message: "The server sent something that is not JSON." });
      return;
    }
    const { type, data = {} } = frame ?? {};
    switch (type) {
      case "session": return this.#begin(data);
      case "notification.push": this.#pushed(data); break;
      case "notification.read.ack": this.#wasRead(data); break;
      case "notification.update": this.#updated(data); break;
      case "notification.recall": this.#recalled(data); break;
      case "notification.auto_cleared": this.#cleared(data); break;
      case "sync.response": return this.#answered(type, this.#older(data));
      case "retention.set.ack": return this.#answered(type, data.days);
      case "reconnect": return this.#comeBack(data);
      case "error": return this.#refusedFrame(data);
      default: return undefined; // pong, and what later servers may say
    }
    return this.#step(data);
  }

  #begin(data) {
    clearTimeout(this.#timers.get("connect"));
    this.#session = data;
    this.#openedAt = performance.now();
    this.#awayUntil = 0;
    this.#refusals = 0;
    this.#follows = this.#counted = data.follows ?? 0;
    if (!data.recovered) this.#items.begin();
    this.#reads.again();
    this.#watch();
    if (!this.#follows) this.#whole();
  }

  /** The cursor moves when nothing before it can be missing: frame by frame, or with a whole sync. */
  #step(data) {
    if (this.#follows) {
      this.#follows -= 1;
      if (!this.#follows) this.#whole();
    } else {
      this.#cursor = Math.max(this.#cursor, positionOf(data.position ?? data.stream_id));
      this.#items.trim();
    }
    this.#changed();
  }

  #whole() {
    const { recovered, epoch, last_stream_id: last, unread } = this.#session;
    if (!recovered) {
      this.#items.end();
      this.#cursor = 0;
    }
    this.#epoch = epoch;
    this.#cursor = Math.max(this.#cursor, positionOf(last));
    this.#items.beyond = 0;
    // Our own unsent reads are read here already, but the server still counts them.
    const held = this.#items.list().filter(
      (item) => item.status === "unread" || this.#reads.has(item.notification_id),
    ).length;
    this.#items.beyond = Math.max(0, (unread ?? 0) - held);
    this.#items.trim();
    this.#say("open");
    this.#emit("synced", { recovered, count: this.#counted });
    this.#changed();
    this.#pump();
  }

  #pushed(data) {
    const before = this.#items.get(data.notification_id);
    // A read of ours that is on its way is newer than what the server says.
    const isOurs = this.#reads.has(data.notification_id) && data.status === "unread";
    const item = isOurs ? { ...data, status: "read", read: true } : data;
    this.#items.put(item);
    if (before) return;
    const away = this.#session?.recovered ? "missed" : "sync";
    this.#emit("push", { item, origin: this.#follows ? away : "live" });
  }

  #wasRead({ notification_id: id }) {
    const mine = this.#settled(id);
    const before = this.#items.get(id);
    const item = this.#items.change(id, { status: "read", read: true });
    if (mine) this.#changed();
    else if (!before?.read) this.#emit("read", { id, item, mine: false });
  }

  #updated({ notification_id: id, message, data, edition }) {
    const item = this.#items.change(id, { message, data, edition });
    if (item) this.#emit("update", { item });
  }

  #recalled({ notification_id: id, reason }) {
    this.#settled(id);
    const item = this.#items.remove(id);
    this.#emit("recall", { id, item, reason });
  }

  #cleared({ notification_id: id }) {
    this.#settled(id);
    const item = this.#items.change(id, { status: "auto_cleared", read: false });
    this.#emit("auto_cleared", { id, item });
  }

  #older(list) {
    for (const item of list) {
      // What we hold is as new or newer: it has heard every change since.
      if (this.#items.get(item.notification_id)) continue;
      this.#items.put(item);
      if (item.status === "unread") this.#items.beyond = Math.max(0, this.#items.beyond - 1);
    }
    this.#items.keep = Math.max(this.#items.keep, this.#items.size);
    this.#changed();
    return list;
  }

  #refusedFrame(data) {
    const { code, message, notification_id: id } = data;
    if (code === "notification_unknown" && id) this.#settled(id);
    if (code === "slow_down") {
      this.#isBurstOut = false;
      this.#reads.again();
      this.#later("pump", SLOWED_MS, () => this.#pump());
    }
    this.#emit("problem", { code, message });
  }

  // ---- sending ----

  #send(type, data) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(data ? { type, data } : { type }));
    return true;
  }

  /** Send the reads that wait, in bursts that the server takes. */
  #pump() {
    if (this.#state !== "open" || this.#timers.has("pump")) return;
    this.#isBurstOut = false;
    const ids = this.#reads.take(BURST);
    for (const id of ids) {
      const streamId = this.#items.get(id)?.stream_id ?? "";
      this.#send("notification.read", { notification_id: id, stream_id: streamId });
    }
    if (ids.length < BURST) return;
    this.#isBurstOut = true;
    this.#later("pump", ANSWER_MS, () => this.#pump()); // or sooner: see #settled
  }

  /** The server has confirmed a read, or there is nothing to be read any more. */
  #settled(id) {
    const wasMine = this.#reads.done(id);
    if (this.#isBurstOut && !this.#reads.areOut) {
      this.#isBurstOut = false;
      this.#later("pump", BURST_EVERY_MS, () => this.#pump());
    }
    return wasMine;
  }

  /** Answers come in the order of their questions. */
  #ask(answer, type, data) {
    return new Promise((resolve, reject) => {
      if (!this.#send(type, data)) {
        reject(new Error("Not connected."));
        return;
      }
      const waiter = { resolve, reject };
      this.#asked[answer].push(waiter);
      setTimeout(() => {
        const place = this.#asked[answer].indexOf(waiter);
        if (place < 0) return;
        this.#asked[answer].splice(place, 1);
        reject(new Error("The server did not answer."));
      }, ANSWER_MS);
    });
  }

  #answered(type, value) {
    this.#asked[type].shift()?.resolve(value);
  }

  // ---- telling the page ----

  #say(state, detail = {}) {
    this.#state = state;
    this.#emit("state", { state, ...detail });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #changed() {
    if (!this.#isChangeTold) return;
    this.#isChangeTold = false;
    queueMicrotask(() => {
      this.#isChangeTold = true;
      this.#emit("change", {});
    });
  }

  /** One timer of each name; the older one is void. */
  #later(name, ms, act) {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(() => { this.#timers.delete(name); act(); }, ms));
  }
}
