// What is going on, by WebSocket; asked every three seconds where no WebSocket comes through.
import { Line } from "../../line.js";

/** Events: `clients`, `pending`, `counts`, `latency`, `tick`, and `state`; the final state is `refused`. */
export class Feed extends Line {
  constructor() {
    super({
      path: "/ws/console",
      api: "/api/v1/admin/live",
      prefix: "console",
      parts: (answer) => answer,
      pollMs: 3000,
      silentMs: 8000, // the server speaks every second
      mostMs: 5000, // operators are few
      refusals: { 4401: "refused", 4403: "refused" },
    });
  }
}
