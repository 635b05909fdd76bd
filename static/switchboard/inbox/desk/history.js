// What one person was told, what became of it, and taking it back.
import { call } from "./api.js";
import { h, moment, reconcile, say, whoIn } from "./dom.js";

const PAGE = 30;
const BADGES = {
  unread: "UNREAD", read: "READ", auto_cleared: "EXPIRED", recalled: "RECALLED", replaced: "REPLACED",
  deferred: "DEFERRED", muted: "MUTED",
};

export function historyWire(root, feed, { mayChange }) {
  const form = root.querySelector("[data-history]");
  const list = root.querySelector("[data-list]");
  const said = root.querySelector("[data-said]");
  const empty = root.querySelector("[data-empty]");
  const older = root.querySelector("[data-older]");
  let who = null;
  let entries = []; // newest first
  let cursor = null;
  let turn = 0;
  let depth = 1; // pages that are shown
  const open = { edit: null, story: new Map() }; // what the visitor has unfolded

  async function load({ isQuiet = false } = {}) {
    if (!who) return;
    const mine = ++turn;
    if (!isQuiet) say(said, "Loading…");
    const found = [];
    let next = null;
    try {
      for (let page = 0; page < depth; page += 1) {
        const query = new URLSearchParams({ user_id: who.user_id, login: who.login, limit: PAGE, ...(next ? { cursor: next } : {}) });
        const answer = await call("GET", `/api/v1/admin/history?${query}`);
        found.push(...answer.history.reverse());
        next = answer.next_cursor;
        if (!next) break;
      }
    } catch (error) {
      if (mine === turn) say(said, error.message, { bad: true });
      return;
    }
    if (mine !== turn) return;
    entries = found;
    cursor = next;
    if (!isQuiet || said.classList.contains("is-bad")) say(said, "");
    refresh();
  }

  function refresh() {
    reconcile(list, entries, {
      key: (entry) => entry.payload.notification_id,
      stamp: (entry) => [entry.status, entry.edition, entry.payload.message, open.edit === entry.payload.notification_id, open.story.get(entry.payload.notification_id) ?? null],
      draw,
    });
    older.hidden = !cursor;
    empty.hidden = entries.length > 0;
    if (who && !entries.length) empty.textContent = `${who.login} was never told anything. Send something, and it appears here.`;
  }

  async function change(method, id, body, words) {
    try {
      const { screens } = await call(method, `/api/v1/notify/${id}`, body);
      open.edit = null;
      open.story.delete(id);
      say(said, `${words}${screens ? `, on ${screens} ${screens === 1 ? "screen" : "screens"} too` : ""}.`);
    } catch (error) {
      say(said, error.message, { bad: true });
    }
    await load({ isQuiet: true });
  }

  async function story(id) {
    if (open.story.has(id)) {
      open.story.delete(id);
    } else {
      try {
        open.story.set(id, await call("GET", `/api/v1/notify/${id}`));
      } catch (error) {
        say(said, error.message, { bad: true });
      }
    }
    refresh();
  }

  function draw(entry, before) {
    const { notification_id: id, message, source, created_at: at } = entry.payload;
    const isEdited = open.edit === id;
    const told = open.story.get(id);
    const button = (text, act, name = "") => h("button", { type: "button", class: `button is-quiet ${name}`, onclick: act }, text);
    const acts = [button(told ? "Close" : "Story", () => story(id))];
    if (mayChange && entry.status === "unread" && !isEdited) {
      acts.push(
        button("Edit", () => { open.edit = id; refresh(); list.querySelector("textarea")?.focus(); }),
        button("Recall", () => change("DELETE", id, undefined, "Recalled"), "is-danger"),
      );
    }
    const node = h("li", { class: "row told" },
      h("div", { class: "row-body" },
        h("p", { class: "row-top" },
          h("span", { class: `badge is-${entry.status}` }, BADGES[entry.status] ?? entry.status),
          h("span", { class: "quiet" }, source, entry.edition > 1 ? ` · edited ${entry.edition - 1}×` : ""),
          h("span", { class: "quiet since" }, moment(at))),
        isEdited ? editor(id, message, before) : h("p", { class: "text" }, message),
        told ? unfolded(told) : null,
        h("p", { class: "acts" }, ...acts)));
    return node;
  }

  function editor(id, message, before) {
    // What was typed stays when the row is drawn anew.
    const area = h("textarea", { rows: 2, maxLength: 4000, "aria-label": "New text", value: before?.querySelector("textarea")?.value ?? message });
    const shut = () => { open.edit = null; refresh(); };
    return h("form", {
      class: "editor",
      onsubmit: (event) => {
        event.preventDefault();
        if (area.value.trim()) change("PATCH", id, { message: area.value }, "Changed");
        else say(said, "The message is empty.", { bad: true, field: area });
      },
      onkeydown: (event) => { if (event.key === "Escape") shut(); },
    }, area, h("p", { class: "acts" },
      h("button", { class: "button is-small is-main" }, "Save"),
      h("button", { type: "button", class: "button is-small", onclick: shut }, "Cancel")));
  }

  function unfolded(told) {
    const moments = told.timeline ?? [];
    return h("ol", { class: "story" }, ...moments.map((each) => h("li", {},
      h("span", {}, each.text), each.at ? h("span", { class: "quiet" }, " ", moment(each.at)) : null)),
    told.why_not ? h("li", { class: "quiet" }, told.why_not) : null);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const named = whoIn(form);
    if (named.wrong) say(said, named.wrong, { bad: true, field: named.field });
    else show(named);
  });
  older.addEventListener("click", () => { depth += 1; load(); });

  // Whatever moves the counts may have moved this person: look again, not more than once a second.
  let later = 0;
  const again = () => {
    if (!who || later) return;
    later = setTimeout(() => { later = 0; load({ isQuiet: true }); }, 300);
  };
  feed.addEventListener("counts", again);
  feed.addEventListener("pending", again);

  function show(person) {
    who = { user_id: person.user_id, login: person.login };
    depth = 1;
    form.elements.user_id.value = who.user_id;
    form.elements.login.value = who.login;
    entries = [];
    open.edit = null;
    open.story.clear();
    refresh();
    load();
  }

  return { show, again };
}
