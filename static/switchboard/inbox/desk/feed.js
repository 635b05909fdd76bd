// What is going on, by WebSocket; asked every three seconds where no WebSocket comes through.
import { Backoff } from "../backoff.js";
import { call } from "./api.js";

const POLL_MS = 3000;
const TRIES = 2; // failed connects until it is asked by REST meanwhile
const SILENT_MS = 8000; // the server speaks every second

/**
 * Events: `clients`, `pending`, `counts`, `latency`, `tick` with the part in `detail`, and `state`
 * {state: connecting | live | polling | away | refused, retryInMs?}.
 */
export class Feed extends EventTarget {
  #backoff = new Backoff({ most: 5000 }); // operators are few
  #failed = 0;
  #socket = null;
  #silence = 0;
  #poll = 0;
  #retry = 0;
  #state = "";

  open() {
    addEventListener("online", () => this.#connect());
    addEventListener("pagehide", () => this.#socket?.close());
    addEventListener("pageshow", (event) => { if (event.persisted) this.#connect(); });
    this.#connect();
  }

  #connect() {
    clearTimeout(this.#retry);
    if (this.#socket && this.#socket.readyState <= WebSocket.OPEN) return;
    if (!this.#poll) this.#say("connecting");
    const address = new URL("/ws/console", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.addEventListener("message", (event) => {
      this.#failed = 0;
      this.#backoff.reset();
      this.#stopPolling();
      this.#say("live");
      clearTimeout(this.#silence);
      this.#silence = setTimeout(() => socket.close(), SILENT_MS);
      const { type, data } = JSON.parse(event.data);
      this.#tell(type.replace("console.", ""), data);
    });
    socket.addEventListener("close", (event) => {
      clearTimeout(this.#silence);
      if (socket !== this.#socket) return;
      if (event.code === 4401) {
        this.#stopPolling();
        this.#say("refused");
        return;
      }
      this.#failed += 1;
      const delay = this.#backoff.next();
      if (this.#failed >= TRIES) this.#startPolling();
      else this.#say("away", delay);
      this.#retry = setTimeout(() => this.#connect(), delay);
    });
  }

  #startPolling() {
    if (this.#poll) return;
    const ask = async () => {
      try {
        const parts = await call("GET", "/api/v1/admin/live");
        if (!this.#poll) return;
        this.#say("polling");
        for (const [name, data] of Object.entries(parts)) this.#tell(name, data);
      } catch (error) {
        if (!this.#poll) return;
        this.#say(error.status === 401 || error.status === 403 ? "refused" : "away", POLL_MS);
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
    if (state === this.#state && state !== "away") return;
    this.#state = state;
    this.#tell("state", { state, retryInMs });
  }
}
