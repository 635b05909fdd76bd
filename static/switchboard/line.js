// A line to the server: frames by WebSocket, or by REST where no WebSocket comes through; it connects again by itself.
import { Backoff } from "./inbox/backoff.js";

const TRIES = 2; // failed connects until it is asked by REST meanwhile

/**
 * Events: the frames by their type without the prefix, with their data in `detail`, and `state`
 * {state: connecting | live | polling | away | a final state, retryInMs}.
 *
 * After a final state nothing is asked any more, until a page opens the line again.
 */
export class Line extends EventTarget {
  #backoff;
  #failed = 0;
  #socket = null;
  #silence = 0;
  #poll = 0;
  #retry = 0;
  #ended = false;
  #state = "";

  /**
   * @param {object} about
   * @param {string} about.path of the WebSocket
   * @param {string} about.api address of the same over REST
   * @param {string} about.prefix of the types of frames: "dashboard" for "dashboard.tick"
   * @param {(answer: object) => object} about.parts the frames that an answer of REST stands for, data by type
   * @param {number} about.pollMs between two questions by REST
   * @param {number} about.silentMs a line that says nothing for so long is dead
   * @param {number} about.mostMs between two tries, at most
   * @param {Object<number, string>} about.refusals final state by the code of a close; 4401 stands for status 401
   */
  constructor({ path, api, prefix, parts, pollMs, silentMs, mostMs, refusals }) {
    super();
    Object.assign(this, { path, api, prefix, parts, pollMs, silentMs, refusals });
    this.#backoff = new Backoff({ most: mostMs });
    addEventListener("online", () => { if (!this.#ended) this.#connect(); });
    addEventListener("pagehide", () => this.#socket?.close());
    addEventListener("pageshow", (event) => { if (event.persisted) this.open(); });
  }

  /** Follow it, also again after a final state: an act may have set it going, or somebody logged in. */
  open() {
    this.#ended = false;
    this.#connect();
  }

  #connect() {
    clearTimeout(this.#retry);
    if (this.#socket && this.#socket.readyState <= WebSocket.OPEN) return;
    if (!this.#poll) this.#say("connecting");
    const address = new URL(this.path, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    this.#socket = socket;
    this.#listen(socket);
    socket.addEventListener("message", (event) => {
      if (socket !== this.#socket) return;
      this.#failed = 0;
      this.#backoff.reset();
      this.#stopPolling();
      this.#say("live");
      this.#listen(socket);
      const { type, data } = JSON.parse(event.data);
      this.#tell(type.replace(`${this.prefix}.`, ""), data);
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#closed(event.code);
    });
  }

  #listen(socket) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      // A dead line may take minutes to close by itself.
      if (socket === this.#socket) this.#closed(1006);
      socket.close();
    }, this.silentMs);
  }

  #closed(code) {
    clearTimeout(this.#silence);
    this.#socket = null;
    if (this.refusals[code]) return this.#end(this.refusals[code]);
    this.#failed += 1;
    const delay = this.#backoff.next();
    if (this.#failed >= TRIES) this.#startPolling();
    else this.#say("away", delay);
    this.#retry = setTimeout(() => this.#connect(), delay);
  }

  #end(state) {
    this.#ended = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    this.#stopPolling();
    const socket = this.#socket; // one that was just being tried
    this.#socket = null;
    socket?.close();
    this.#say(state);
  }

  #startPolling() {
    if (this.#poll) return;
    const ask = async () => {
      try {
        const answer = await fetch(this.api, { headers: { Accept: "application/json" } });
        if (!this.#poll) return;
        const refused = this.refusals[4000 + answer.status];
        if (refused) return this.#end(refused);
        if (!answer.ok) throw new Error(answer.status);
        const found = this.parts(await answer.json());
        if (!this.#poll) return;
        this.#say("polling");
        for (const [name, data] of Object.entries(found)) this.#tell(name, data);
      } catch {
        if (!this.#poll) return;
        this.#say("away", this.pollMs);
      }
      if (this.#poll) this.#poll = setTimeout(ask, this.pollMs);
    };
    this.#poll = setTimeout(ask, 0);
  }

  #stopPolling() {
    clearTimeout(this.#poll);
    this.#poll = 0;
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #say(state, retryInMs = 0) {
    if (state === this.#state && state !== "away") return;
    this.#state = state;
    this.#tell("state", { state, retryInMs });
  }
}
