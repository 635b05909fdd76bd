// Writing a notification to one person, to those who are ticked, or to everybody who is connected.
import { call, freshKey } from "./api.js";
import { number, plural, say, whoIn } from "./dom.js";

const MOST = 10_000; // targets of one request
const PAGE = 1000;

/** Everybody who is connected, when the page lists only the newest. */
async function everybody() {
  const found = [];
  let cursor = "";
  do {
    const query = new URLSearchParams({ limit: PAGE, ...(cursor ? { cursor } : {}) });
    const answer = await call("GET", `/api/v1/admin/users?${query}`);
    found.push(...answer.users.map(({ user_id: id, login }) => ({ id, login })));
    cursor = answer.next_cursor;
  } while (cursor);
  return found;
}

/** @param {EventTarget} people fires `chosen`; @param {(who) => void} sent called after each send */
export function composeWire(root, people, sent) {
  const form = root.querySelector("[data-compose]");
  if (!form) return { aim() {} };
  const said = form.querySelector("[data-said]");
  const one = form.querySelector("[data-one]");
  const hint = form.querySelector("[data-to-hint]");
  const button = form.querySelector("[data-send]");
  let choice = { chosen: [], all: [], users: 0 };
  let pending = null; // {text, key} of a try whose answer did not come

  const to = () => form.elements.to.value;
  function refresh() {
    form.querySelector("[data-chosen]").textContent = choice.chosen.length;
    form.querySelector("[data-all]").textContent = number(choice.users);
    one.hidden = to() !== "one";
    hint.hidden = to() === "one";
    if (to() === "chosen") {
      hint.textContent = choice.chosen.length
        ? choice.chosen.slice(0, 8).map(({ login }) => login).join(", ") + (choice.chosen.length > 8 ? ` and ${choice.chosen.length - 8} more` : "")
        : "Tick people in the list of those who are connected.";
    } else if (to() === "all") {
      hint.textContent = choice.users ? "Everybody who has a socket open now, on whichever pod." : "Nobody is connected now.";
    }
  }
  // Who ticks somebody means to send to them; who unticks the last one does not any more.
  let hasAimed = false;
  people.addEventListener("chosen", ({ detail }) => {
    const [before, after] = [choice.chosen.length, detail.chosen.length];
    choice = detail;
    if (!before && after && to() === "one") {
      hasAimed = true;
      form.elements.to.value = "chosen";
    } else if (before && !after && to() === "chosen" && hasAimed) {
      form.elements.to.value = "one";
    }
    refresh();
  });
  form.addEventListener("change", ({ target }) => {
    if (target.name === "to") hasAimed = false;
    refresh();
  });

  async function targets() {
    if (to() === "chosen") return choice.chosen.length ? { target: choice.chosen } : { wrong: "Nobody is ticked. Tick people in the list, or choose One person." };
    if (to() === "all") return choice.users ? { target: choice.users > choice.all.length ? await everybody() : choice.all } : { wrong: "Nobody is connected. Choose One person: it will wait for them." };
    const who = whoIn(form);
    return who.wrong ? who : { target: [{ id: who.user_id, login: who.login }] };
  }

  async function send(target, words) {
    // The same again after an answer that got lost carries the same keys, and is told once.
    const text = JSON.stringify([target, words]);
    if (pending?.text !== text) pending = { text, key: freshKey() };
    for (let first = 0; first < target.length; first += MOST) {
      const body = { target: target.slice(first, first + MOST), ...words };
      await call("POST", "/api/v1/notify", body, { "Idempotency-Key": `${pending.key}-${first}` });
    }
    pending = null;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    const { message, source, collapse_key: collapse } = form.elements;
    for (const field of [message, source]) field.removeAttribute("aria-invalid");
    button.disabled = true;
    try {
      const { target, wrong, field } = await targets();
      if (wrong) { say(said, wrong, { bad: true, field }); return; }
      if (!message.value.trim()) { say(said, "The message is empty.", { bad: true, field: message }); return; }
      if (!source.value.trim()) { say(said, "The source is missing: say who tells this.", { bad: true, field: source }); return; }
      say(said, "Sending…");
      await send(target, {
        message: message.value,
        source: source.value.trim(),
        priority: Number(form.elements.priority.value),
        ttl_s: Number(form.elements.ttl_s.value),
        ...(collapse.value.trim() ? { collapse_key: collapse.value.trim() } : {}),
      });
      say(said, target.length === 1 ? `Accepted for ${target[0].login}.` : `Accepted for ${plural(target.length, "person", "people")}.`);
      sent(target);
    } catch (error) {
      if (error.status && error.status < 500) pending = null;
      say(said, error.message, { bad: true });
    } finally {
      button.disabled = false;
    }
  });
  form.elements.message.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  refresh();

  return {
    /** Fill in a person. */
    aim({ user_id: id, login }) {
      form.elements.user_id.value = id;
      form.elements.login.value = login;
    },
  };
}
