// The row of numbers.
import { sparkDraw } from "./chart.js";
import { latencyText, number, plural } from "./dom.js";

export function tilesWire(root, feed) {
  const set = (name, text) => { root.querySelector(`[data-tile="${name}"]`).textContent = text; };
  const hint = (name, text) => { root.querySelector(`[data-hint="${name}"]`).textContent = text; };
  const sum = (values) => values.reduce((all, value) => all + value, 0);

  feed.addEventListener("clients", ({ detail }) => {
    set("connections", number(detail.connections));
    hint("connections", `${plural(detail.users, "person", "people")}, ${plural(detail.pods.length, "pod")}`);
  });
  feed.addEventListener("pending", ({ detail }) => {
    set("unread", number(detail.total) + (detail.is_more ? "+" : ""));
    hint("unread", detail.total ? `for ${plural(detail.users, "person", "people")}` : "everything is read");
  });
  feed.addEventListener("counts", ({ detail }) => {
    for (const name of ["sent", "acked", "auto_cleared"]) {
      set(name, number(sum(detail[name])));
      sparkDraw(root.querySelector(`[data-spark="${name}"]`), detail[name]);
    }
  });
  feed.addEventListener("latency", ({ detail: { points } }) => {
    const pushes = sum(points.map(([, count]) => count));
    set("latency", pushes ? latencyText(sum(points.map(([, count, half]) => count * half)) / pushes) : "–");
    const slowest = Math.max(0, ...points.map(([, , , , most]) => most));
    hint("latency", pushes ? `slowest ${latencyText(slowest)}, ten minutes` : "no push in ten minutes");
  });
}
