// How far an operation is, by WebSocket; asked every two seconds where no WebSocket comes through.
import { Backoff } from "../inbox/backoff.js";

const POLL_MS = 2000;
const TRIES = 2; // failed connects until it is asked by REST meanwhile
const SILENT_MS = 12_000; // the server speaks every five seconds
const REFUSED = { 4401: "out", 4403: "forbidden", 4404: "gone" };

/**
 * Events: `hello`, `snapshot`, `trouble` with the data of the frame in `detail`, and `state`
 * {state: connecting | live | polling | away | over | out | forbidden | gone, retryInMs}.
 */
export class ProgressFeed extends EventTarget {
  #backoff = new Backoff({ most: 5000 });
  #failed = 0;
  #socket = null;
  #silence = 0;
  #poll = 0;
  #retry = 0;
  #ended = false;

  constructor(operationId, api) {
    super();
    Object.assign(this, { operationId, api });
    addEventListener("online", () => this.open());
    addEventListener("pagehide", () => this.#socket?.close());
    addEventListener("pageshow", (event) => { if (event.persisted) this.open(); });
  }

  /** Follow it, also again after it was over: an act may have set it going. */
  open() {
    clearTimeout(this.#retry);
    if (this.#socket && this.#socket.readyState <= WebSocket.OPEN) return;
    this.#ended = false;
    if (!this.#poll) this.#say("connecting");
    const address = new URL(`/ws/progress/${this.operationId}`, location.href);
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
      this.#tell(type.replace("progress.", ""), data);
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#closed(event);
    });
  }

  #listen(socket) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      // A dead line may take minutes to close by itself.
      if (socket === this.#socket) this.#closed({ code: 1006 });
      socket.close();
    }, SILENT_MS);
  }

  #closed({ code }) {
    clearTimeout(this.#silence);
    this.#socket = null;
    if (code === 1000) return this.#end("over");
    if (REFUSED[code]) return this.#end(REFUSED[code]);
    this.#failed += 1;
    const delay = this.#backoff.next();
    if (this.#failed >= TRIES) this.#startPolling();
    else this.#say("away", delay);
    this.#retry = setTimeout(() => this.open(), delay);
  }

  #end(state) {
    this.#ended = true;
    this.#stopPolling();
    this.#say(state);
  }

  #startPolling() {
    if (this.#poll) return;
    const ask = async () => {
      try {
        const answer = await fetch(this.api, { headers: { Accept: "application/json" } });
        if (!this.#poll) return;
        if (answer.status === 401) return this.#end("out");
        if (answer.status === 403) return this.#end("forbidden");
        if (answer.status === 404) return this.#end("gone");
        if (!answer.ok) throw new Error(answer.status);
        const snapshot = await answer.json();
        this.#say("polling");
        this.#tell("snapshot", snapshot);
      } catch {
        if (!this.#poll) return;
        this.#say("away", POLL_MS);
      }
      if (this.#poll) this.#poll = setTimeout(ask, POLL_MS);
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
    if (this.#ended && !["over", "out", "forbidden", "gone"].includes(state)) return;
    this.#tell("state", { state, retryInMs });
  }
}
