// What the dashboard shows, by WebSocket; asked every ten seconds where no WebSocket comes through.
import { Backoff } from "../switchboard/inbox/backoff.js";

const POLL_MS = 10_000;
const TRIES = 2; // failed connects until it is asked by REST meanwhile
const SILENT_MS = 25_000; // the server speaks every ten seconds
const REFUSED = { 4401: "out", 4403: "forbidden" };

/**
 * Events: `snapshot`, `events`, `alerts`, `tick` with the data of the frame in `detail`, and `state`
 * {state: connecting | live | polling | away | out | forbidden, retryInMs}.
 */
export class OpsFeed extends EventTarget {
  #backoff = new Backoff({ most: 15_000 });
  #failed = 0;
  #socket = null;
  #silence = 0;
  #poll = 0;
  #retry = 0;
  #ended = false;

  constructor(api) {
    super();
    this.api = api;
    addEventListener("online", () => this.open());
    addEventListener("pagehide", () => this.#socket?.close());
    addEventListener("pageshow", (event) => { if (event.persisted) this.open(); });
  }

  open() {
    clearTimeout(this.#retry);
    if (this.#ended || (this.#socket && this.#socket.readyState <= WebSocket.OPEN)) return;
    if (!this.#poll) this.#say("connecting");
    const address = new URL("/ws/dashboard", location.href);
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
      this.#tell(type.replace("dashboard.", ""), data);
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
    }, SILENT_MS);
  }

  #closed(code) {
    clearTimeout(this.#silence);
    this.#socket = null;
    if (REFUSED[code]) return this.#end(REFUSED[code]);
    this.#failed += 1;
    const delay = this.#backoff.next();
    if (this.#failed >= TRIES) this.#startPolling();
    else this.#say("away", delay);
    this.#retry = setTimeout(() => this.open(), delay);
  }

  #end(state) {
    this.#ended = true;
    clearTimeout(this.#retry);
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
        if (!answer.ok) throw new Error(answer.status);
        const parts = await answer.json();
        if (!this.#poll) return;
        this.#say("polling");
        for (const [name, data] of Object.entries(parts)) this.#tell(name, data);
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
    this.#tell("state", { state, retryInMs });
  }
}
