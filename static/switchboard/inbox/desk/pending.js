// What nobody has read yet, those that expire first.
import { h, moment, now, number, reconcile } from "./dom.js";

const PRIORITIES = { 0: "critical", 1: "high", 3: "low" };

/** What is left of its time, 0 to 100. */
function left({ accepted_at: from, expires_at: until }) {
  if (!until) return 100;
  const end = Date.parse(until);
  return Math.max(0, Math.min(100, ((end - now()) / Math.max(1, end - Date.parse(from))) * 100));
}

/** Expired, and not cleared yet: the sweep comes each minute. */
const isOver = ({ expires_at: until }) => Boolean(until) && Date.parse(until) < now();

export function pendingWire(root, feed, show) {
  const list = root.querySelector("[data-pending]");
  const empty = root.querySelector("[data-empty]");
  const total = root.querySelector("[data-total]");

  const draw = (item) => h("li", { class: "row waiting" },
    h("div", { class: "row-body" },
      h("p", { class: "row-top" },
        h("button", { type: "button", class: "link", onclick: () => show(item), title: "Show the history" }, item.login),
        h("span", { class: "quiet" }, `#${item.user_id} · ${item.source}`),
        PRIORITIES[item.priority] ? h("span", { class: `badge is-${PRIORITIES[item.priority]}` }, PRIORITIES[item.priority]) : null,
        h("span", { class: "quiet since" }, isOver(item) ? "expired " : "expires ", item.expires_at ? moment(item.expires_at) : "never")),
      h("p", { class: "text" }, item.message),
      h("progress", { max: 100, value: left(item), "aria-label": "Time left until it expires" })));

  let items = [];
  const refresh = () => reconcile(list, items, {
    key: (item) => item.notification_id,
    stamp: (item) => [item.message, item.expires_at, isOver(item)],
    draw,
  });
  feed.addEventListener("pending", ({ detail }) => {
    items = detail.items;
    refresh();
    empty.hidden = items.length > 0;
    total.textContent = detail.total > items.length ? `${items.length} of ${number(detail.total)}${detail.is_more ? "+" : ""}, those that expire first` : "";
  });
  feed.addEventListener("tick", () => {
    refresh();
    for (const [place, node] of [...list.children].entries()) {
      if (items[place]) node.querySelector("progress").value = left(items[place]);
    }
  });
}
