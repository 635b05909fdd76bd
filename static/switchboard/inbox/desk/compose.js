// Writing a notification to one person, to those who are ticked, or to everybody who is connected.
import { call, freshKey } from "./api.js";
import { plural, say, whoIn } from "./dom.js";

const MOST = 10_000;

/** @param {EventTarget} people fires `chosen`; @param {(who) => void} sent called after each send */
export function composeWire(root, people, sent) {
  const form = root.querySelector("[data-compose]");
  if (!form) return { aim() {} };
  const said = form.querySelector("[data-said]");
  const one = form.querySelector("[data-one]");
  const hint = form.querySelector("[data-to-hint]");
  const button = form.querySelector("[data-send]");
  let choice = { chosen: [], all: [], beyond: 0 };
  let pending = null; // {body, key} of a try whose answer did not come

  const to = () => form.elements.to.value;
  function refresh() {
    form.querySelector("[data-chosen]").textContent = choice.chosen.length;
    form.querySelector("[data-all]").textContent = choice.all.length;
    one.hidden = to() !== "one";
    hint.hidden = to() === "one";
    if (to() === "chosen") {
      hint.textContent = choice.chosen.length
        ? choice.chosen.slice(0, 8).map(({ login }) => login).join(", ") + (choice.chosen.length > 8 ? ` and ${choice.chosen.length - 8} more` : "")
        : "Tick people in the list of those who are connected.";
    } else if (to() === "all") {
      hint.textContent = choice.beyond > 0
        ? `The ${choice.all.length} people in the list; for more, use a broadcast.`
        : choice.all.length ? "Everybody who has a socket open now." : "Nobody is connected now.";
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

  function targets() {
    if (to() === "chosen") return choice.chosen.length ? { target: choice.chosen } : { wrong: "Nobody is ticked. Tick people in the list, or choose One person." };
    if (to() === "all") return choice.all.length ? { target: choice.all } : { wrong: "Nobody is connected. Choose One person: it will wait for them." };
    const who = whoIn(form);
    return who.wrong ? who : { target: [{ id: who.user_id, login: who.login }] };
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    const { target, wrong, field } = targets();
    if (wrong) { say(said, wrong, { bad: true, field }); return; }
    const { message, source, collapse_key: collapse } = form.elements;
    message.removeAttribute("aria-invalid");
    source.removeAttribute("aria-invalid");
    if (!message.value.trim()) { say(said, "The message is empty.", { bad: true, field: message }); return; }
    if (!source.value.trim()) { say(said, "The source is missing: say who tells this.", { bad: true, field: source }); return; }
    const body = {
      target: target.slice(0, MOST),
      message: message.value,
      source: source.value.trim(),
      priority: Number(form.elements.priority.value),
      ttl_s: Number(form.elements.ttl_s.value),
      ...(collapse.value.trim() ? { collapse_key: collapse.value.trim() } : {}),
    };
    // The same again after an answer that got lost carries the same key, and is told once.
    const text = JSON.stringify(body);
    if (pending?.text !== text) pending = { text, key: freshKey() };
    button.disabled = true;
    say(said, "Sending…");
    try {
      const { results } = await call("POST", "/api/v1/notify", body, { "Idempotency-Key": pending.key });
      pending = null;
      say(said, results.length === 1 ? `Accepted for ${results[0].target.login}.` : `Accepted for ${plural(results.length, "person", "people")}.`);
      sent(results.map((each) => each.target));
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
