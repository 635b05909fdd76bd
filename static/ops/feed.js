// What the dashboard shows, by WebSocket; asked every ten seconds where no WebSocket comes through.
import { Line } from "../switchboard/line.js";

/** Events: `snapshot`, `events`, `alerts`, `tick`, and `state`; final states are `out` and `forbidden`. */
export class OpsFeed extends Line {
  constructor(api) {
    super({
      path: "/ws/dashboard",
      api,
      prefix: "dashboard",
      parts: (answer) => answer,
      pollMs: 10_000,
      silentMs: 25_000, // the server speaks every ten seconds
      mostMs: 15_000,
      refusals: { 4401: "out", 4403: "forbidden" },
    });
  }
}
