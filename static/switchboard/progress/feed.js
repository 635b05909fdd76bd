// How far an operation is, by WebSocket; asked every two seconds where no WebSocket comes through.
import { Line } from "../line.js";

/**
 * Events: `hello`, `snapshot`, `trouble`, and `state`; final states are `over`, `out`, `forbidden`, `gone`.
 */
export class ProgressFeed extends Line {
  constructor(operationId, api) {
    super({
      path: `/ws/progress/${operationId}`,
      api,
      prefix: "progress",
      parts: (snapshot) => ({ snapshot }),
      pollMs: 2000,
      silentMs: 12_000, // the server speaks every five seconds
      mostMs: 5000,
      refusals: { 1000: "over", 4401: "out", 4403: "forbidden", 4404: "gone" },
    });
  }
}
