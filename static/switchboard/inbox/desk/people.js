// Who is connected: a row per person, with their screens. Ticked ones can be sent to.
import { h, moment, plural, reconcile } from "./dom.js";

const nameOf = ({ user_id: id, login }) => `${id}-${login}`;

/** Sockets into people, the last who came first. */
function grouped(clients) {
  const people = new Map();
  for (const client of clients) {
    const person = people.get(nameOf(client)) ?? {
      name: nameOf(client), user_id: client.user_id, login: client.login, unread: client.unread ?? 0, screens: [],
    };
    person.screens.push(client);
    people.set(person.name, person);
  }
  return [...people.values()];
}

/** "Firefox on Linux" and the like, when the client gave no name of its own. */
function deviceOf({ device, user_agent: agent }) {
  if (device) return device;
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(agent ?? "")?.[1];
  if (browser) return { Edg: "Edge", OPR: "Opera" }[browser] ?? browser;
  return (agent ?? "").split(/[/ ]/)[0] || "unnamed";
}

/**
 * Fires `chosen` {chosen: [{user_id, login}], all: [...]} on root whenever either changes.
 * @param {(person: {user_id: number, login: string}) => void} show opens somebody's history
 */
export function peopleWire(root, feed, show) {
  const list = root.querySelector("[data-people]");
  const empty = root.querySelector("[data-empty]");
  const row = root.querySelector("[data-choose-row]");
  const all = root.querySelector("[data-choose-all]");
  const shownWords = root.querySelector("[data-shown]");
  const filter = root.querySelector("[data-filter]");
  const pods = root.querySelector("[data-pods]");
  const chosen = new Set();
  let people = [];
  let clients = null;

  const matching = () => {
    const words = filter.value.trim().toLowerCase();
    if (!words) return people;
    return people.filter((person) =>
      [person.name, ...person.screens.flatMap((screen) => [deviceOf(screen), screen.pod_id, screen.address])]
        .some((text) => String(text ?? "").toLowerCase().includes(words)));
  };

  function draw(person) {
    const box = h("input", {
      type: "checkbox", checked: chosen.has(person.name), "aria-label": `Choose ${person.login}`,
      onchange: () => { chosen[box.checked ? "add" : "delete"](person.name); refresh(); },
    });
    const screens = person.screens.slice(0, 4).map((screen) =>
      h("span", { class: "chip", title: `${screen.user_agent}\n${screen.address ?? ""}`.trim() },
        deviceOf(screen), clients.pods.length > 1 ? h("span", { class: "chip-pod" }, screen.pod_id) : null));
    if (person.screens.length > 4) screens.push(h("span", { class: "chip" }, `+${person.screens.length - 4}`));
    return h("li", { class: "row person" },
      h("label", { class: "tick" }, box),
      h("div", { class: "row-body" },
        h("p", { class: "row-top" },
          h("button", { type: "button", class: "link", onclick: () => show(person), title: "Show the history" }, person.login),
          h("span", { class: "quiet" }, `#${person.user_id}`),
          person.unread ? h("span", { class: "count", title: "unread" }, String(person.unread)) : null,
          h("span", { class: "quiet since" }, moment(person.screens.at(-1).connected_at))),
        h("p", { class: "chips" }, ...screens)));
  }

  function refresh() {
    const shown = matching();
    reconcile(list, shown, {
      key: (person) => person.name,
      stamp: (person) => [person.unread, chosen.has(person.name), clients.pods.length > 1, person.screens.map((screen) => screen.client_id)],
      draw,
    });
    empty.hidden = shown.length > 0;
    empty.classList.toggle("is-filtered", people.length > 0);
    if (people.length) empty.textContent = "Nobody who is connected matches.";
    row.hidden = shown.length === 0;
    const ticked = shown.filter((person) => chosen.has(person.name)).length;
    all.checked = ticked > 0 && ticked === shown.length;
    all.indeterminate = ticked > 0 && !all.checked;
    const beyond = clients ? clients.connections - clients.clients.length : 0;
    shownWords.textContent = beyond > 0 ? `the newest ${clients.clients.length} of ${clients.connections} sockets` : plural(shown.length, "person", "people");
    const bare = ({ user_id: id, login }) => ({ id, login });
    root.dispatchEvent(new CustomEvent("chosen", {
      detail: { chosen: people.filter((person) => chosen.has(person.name)).map(bare), all: people.map(bare), users: clients?.users ?? 0 },
    }));
  }

  const nobody = [...empty.childNodes].map((node) => node.cloneNode(true));
  feed.addEventListener("clients", ({ detail }) => {
    clients = detail;
    people = grouped(detail.clients);
    if (!people.length) empty.replaceChildren(...nobody.map((node) => node.cloneNode(true)));
    // Who has gone and comes back shall not be ticked by surprise.
    for (const name of chosen) if (!people.some((person) => person.name === name)) chosen.delete(name);
    refresh();
    pods.replaceChildren(...detail.pods.map((pod) => h("li", { class: pod.draining ? "pod is-draining" : "pod" },
      h("span", { class: "dot is-good" }), pod.pod_id,
      h("span", { class: "quiet" }, ` ${plural(pod.connections, "socket")}${pod.draining ? ", draining" : ""}, beat `),
      moment(pod.beat_at))));
  });
  filter.addEventListener("input", refresh);
  all.addEventListener("change", () => {
    for (const person of matching()) chosen[all.checked ? "add" : "delete"](person.name);
    refresh();
  });
}
