// A real inbox as anybody: the first thing a visitor tries.
import { Backoff, Inbox, Refused } from "../client.js";
import { call } from "./api.js";
import { h, moment, reconcile, span, whoIn } from "./dom.js";

const STATES = {
  idle: "", closed: "offline", connecting: "connecting…", open: "live", refused: "refused",
};
const NOTES = { recalled: "taken back by its sender", replaced: "replaced by a newer one" };

/** @param {(who) => void} opened called with {user_id, login} when an inbox opens */
export function panelWire(root, opened) {
  const form = root.querySelector("[data-open]");
  if (!form) return { open() {} };
  const at = (name) => root.querySelector(`[data-${name}]`);
  const list = at("items");
  const [dot, title, unread, state, empty, foot] = ["dot", "name", "unread", "state", "empty", "foot"].map(at);
  const offline = at("offline");
  const second = at("second");
  let inbox = null;
  let who = null;
  const leaving = new Map(); // recalled ones are seen going

  async function identify() {
    try {
      return await call("POST", "/api/v1/ws-tickets", who).then(({ ticket }) => ({ ticket }));
    } catch (error) {
      if (error.status === 401 || error.status === 403) throw new Refused(error.message);
      throw error;
    }
  }

  function tell({ state: now, retryInMs, why }) {
    dot.className = `dot ${{ open: "is-good", closed: "", refused: "is-bad", waiting: "is-warm", connecting: "is-warm" }[now] ?? ""}`;
    state.textContent = now === "waiting" ? `back in ${span(retryInMs / 1000)}` : STATES[now] ?? now;
    state.title = why ?? "";
    offline.textContent = now === "closed" || now === "refused" ? "Go online" : "Go offline";
    root.dataset.inbox = now;
    refresh();
  }

  function refresh() {
    if (!inbox) return;
    const shown = [...inbox.items.slice(0, 100), ...leaving.values()]
      .sort((a, b) => Number.parseInt(b.stream_id, 10) - Number.parseInt(a.stream_id, 10));
    reconcile(list, shown, {
      key: (item) => item.notification_id,
      stamp: (item) => [item.status, item.edition, item.message, item.note ?? ""],
      draw,
    });
    unread.hidden = inbox.unread === 0;
    unread.textContent = inbox.unread > 99 ? "99+" : inbox.unread;
    unread.title = `${inbox.unread} unread`;
    empty.hidden = shown.length > 0;
    empty.textContent = inbox.state === "refused"
      ? "The server does not take this identity. Name another person, and open again."
      : `${who.login} has no notifications. Send one, and it arrives here.`;
    if (inbox.state === "closed" && inbox.waiting) {
      state.textContent = `offline, ${inbox.waiting} ${inbox.waiting === 1 ? "read waits" : "reads wait"}`;
    }
  }

  function draw(item) {
    const isUnread = item.status === "unread" && !item.note;
    const badge = { auto_cleared: "expired", recalled: "recalled", replaced: "replaced" }[item.status];
    return h("li", { class: `item is-${item.status}${item.note ? " is-leaving" : ""}${item.priority === 0 ? " is-critical" : ""}` },
      h("p", { class: "item-top" },
        h("span", { class: "item-source" }, item.source),
        item.edition > 1 ? h("span", { class: "quiet" }, "edited") : null,
        badge ? h("span", { class: `badge is-${item.status}` }, badge) : null,
        h("span", { class: "quiet since" }, moment(item.created_at))),
      h("p", { class: "text" }, item.message),
      item.note ? h("p", { class: "quiet" }, item.note) : null,
      isUnread
        ? h("button", { type: "button", class: "button is-small", onclick: () => inbox.read(item.notification_id) }, "Mark as read")
        : null);
  }

  function open(person) {
    inbox?.close();
    who = { user_id: person.user_id, login: person.login };
    form.elements.user_id.value = who.user_id;
    form.elements.login.value = who.login;
    leaving.clear();
    list.replaceChildren();
    const name = `${who.user_id}-${who.login}`;
    inbox = new Inbox({ identify, name, device: "console", storage: localStorage, backoff: new Backoff({ most: 10_000 }) });
    const mine = inbox;
    const on = (type, act) => mine.addEventListener(type, ({ detail }) => { if (mine === inbox) act(detail); });
    on("state", tell);
    on("change", refresh);
    on("recall", ({ item, reason }) => {
      if (!item) return;
      leaving.set(item.notification_id, { ...item, status: reason, note: NOTES[reason] ?? reason });
      setTimeout(() => { leaving.delete(item.notification_id); refresh(); }, 4000);
      refresh();
    });
    title.textContent = who.login;
    foot.hidden = false;
    second.href = `?inbox=${encodeURIComponent(name)}#panel`;
    inbox.open();
    opened(who);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const named = whoIn(form);
    if (named.wrong) {
      named.field.setAttribute("aria-invalid", "true");
      named.field.focus();
      state.textContent = named.wrong;
    } else {
      open(named);
    }
  });
  at("read-all").addEventListener("click", () => inbox.readAll());
  offline.addEventListener("click", () => {
    if (inbox.state === "closed" || inbox.state === "refused") inbox.open();
    else inbox.close();
  });
  addEventListener("pagehide", () => inbox?.close());
  addEventListener("pageshow", (event) => { if (event.persisted) inbox?.open(); });
  return { open };
}
