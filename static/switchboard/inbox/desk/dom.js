// Making elements, and the words for moments and numbers.

/** Make an element: h("p", { class: "quiet", onclick: act }, "text", child). Text is never HTML. */
export function h(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node && key !== "list") node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  if (properties.class) node.className = properties.class;
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const numbers = new Intl.NumberFormat("en");
export const number = (value) => numbers.format(value);
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

let skew = 0;
/** The server's clock counts: that of a laptop may be wrong. */
export function clockSet(serverMs) {
  skew = serverMs - Date.now();
}
export const now = () => Date.now() + skew;

export function span(seconds) {
  const away = Math.abs(seconds);
  if (away < 90) return `${Math.round(away)} s`;
  if (away < 5400) return `${Math.floor(away / 60)} min`;
  return away < 172800 ? `${Math.floor(away / 3600)} h` : `${Math.floor(away / 86400)} d`;
}

function ago(ms) {
  const seconds = (now() - ms) / 1000;
  if (Math.abs(seconds) < 3) return "now";
  return seconds > 0 ? `${span(seconds)} ago` : `in ${span(seconds)}`;
}

/** A <time> whose words go on by themselves. */
export function moment(iso) {
  const at = new Date(iso);
  return h("time", { dateTime: at.toISOString(), title: at.toLocaleString(), class: "moment" }, ago(at.getTime()));
}

export function tick(root = document) {
  for (const time of root.querySelectorAll("time.moment")) {
    const words = ago(Date.parse(time.dateTime));
    if (time.textContent !== words) time.textContent = words;
  }
}

/** 0.42 -> "0.4 ms", 1234 -> "1.2 s" */
export function latencyText(ms) {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

/** {user_id, login} of a form, or a sentence in `wrong` and the field. */
export function whoIn(form) {
  const id = form.elements.user_id;
  const login = form.elements.login;
  for (const field of [id, login]) field.removeAttribute("aria-invalid");
  if (!/^[0-9]{1,18}$/.test(id.value.trim())) return { wrong: "The user id is a whole number.", field: id };
  if (!login.value.trim()) return { wrong: "The login is missing.", field: login };
  return { user_id: Number(id.value.trim()), login: login.value.trim() };
}

/** Say a sentence beside a form; a bad one also marks its field. */
export function say(place, text, { bad = false, field = null } = {}) {
  place.textContent = text;
  place.classList.toggle("is-bad", bad);
  if (field) {
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }
}

/**
 * Make the children of a list those of `rows`, by key: an element that stays is kept (with its focus)
 * and only drawn anew when its `stamp` is another one.
 */
export function reconcile(list, rows, { key, stamp, draw }) {
  const old = new Map([...list.children].map((node) => [node.dataset.key, node]));
  let place = list.firstElementChild;
  for (const row of rows) {
    const name = String(key(row));
    const mark = JSON.stringify(stamp(row));
    let node = old.get(name);
    old.delete(name);
    if (node && node.dataset.stamp !== mark) {
      const fresh = draw(row, node);
      if (place === node) place = fresh;
      node.replaceWith(fresh);
      node = fresh;
    }
    node ??= draw(row, null);
    node.dataset.key = name;
    node.dataset.stamp = mark;
    if (node === place) place = place.nextElementSibling;
    else list.insertBefore(node, place);
  }
  for (const node of old.values()) node.remove();
}
