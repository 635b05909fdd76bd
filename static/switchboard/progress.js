// The page of a long operation, and the same card on pages of the admin. docs/progress.md is its contract.
import { ProgressFeed } from "./progress/feed.js";
import { ProgressView } from "./progress/view.js";
import { spanText } from "./progress/words.js";
import { h } from "./inbox/desk/dom.js";

/** Bring a section of templates/progress/_live.html to life. */
export function progressMount(root) {
  const part = (name) => root.querySelector(`[data-${name}]`);
  const live = JSON.parse(document.getElementById("progress-now").textContent);
  const view = new ProgressView(root);
  const feed = new ProgressFeed(root.dataset.progress, root.dataset.api);
  let snapshot = live.snapshot;
  let may = new Set(live.acts.map((act) => act.name));
  let busy = false;

  const show = (next) => {
    const was = snapshot;
    snapshot = next;
    view.show(next);
    acts();
    root.dispatchEvent(new CustomEvent("progress", { bubbles: true, detail: { was, now: next } }));
  };

  const trouble = (...words) => {
    part("trouble").replaceChildren(...words);
    part("trouble").hidden = words.length === 0;
  };

  // ---- the buttons ----
  let drawn = "";
  const acts = () => {
    const possible = live.acts.filter((act) => may.has(act.name) && snapshot.actions.includes(act.name));
    const mark = JSON.stringify([possible.map((act) => act.name), busy]);
    if (mark === drawn) return;
    drawn = mark;
    part("acts").replaceChildren(...possible.map((act) => {
      const button = h("button", { type: "button", class: `pl-button is-${act.tone || "plain"}`, onclick: () => ask(act) }, act.title);
      button.disabled = busy;
      button.dataset.act = act.name;
      return button;
    }));
  };

  const ask = (act) => {
    if (!act.sentence) return run(act);
    const dialog = part("dialog");
    part("question").textContent = `${act.title}?`;
    part("means").textContent = act.sentence;
    part("yes").textContent = act.title;
    part("yes").className = `pl-button is-${act.tone || "primary"}`;
    dialog.onclose = () => { if (dialog.returnValue === "yes") run(act); };
    dialog.returnValue = "";
    return dialog.showModal();
  };

  const run = async (act) => {
    busy = true;
    acts();
    const said = part("said");
    said.textContent = "";
    said.classList.remove("is-bad");
    try {
      const answer = await fetch(`${root.dataset.api}/actions/${act.name}`, {
        method: "POST",
        headers: { "X-CSRFToken": root.dataset.csrf, Accept: "application/json" },
      });
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.detail);
      said.textContent = `${act.title}: done.`;
      busy = false;
      show(body);
      feed.open();
    } catch (error) {
      said.textContent = error instanceof TypeError
        ? `${act.title}: the server did not answer, so it is not known whether it was done. Look at the state, then try again.`
        : `${act.title}: ${error.message}`;
      said.classList.add("is-bad");
    }
    busy = false;
    acts();
  };

  // ---- the line ----
  const link = part("link");
  feed.addEventListener("hello", ({ detail }) => {
    view.clockSet(detail.now);
    may = new Set(detail.may);
    acts();
  });
  feed.addEventListener("snapshot", ({ detail }) => {
    trouble();
    show(detail);
  });
  feed.addEventListener("trouble", ({ detail }) => trouble(detail.text));
  feed.addEventListener("state", ({ detail: { state, retryInMs } }) => {
    link.dataset.link = state;
    link.textContent = {
      connecting: "Connecting…",
      live: "Live",
      polling: "Every 2 s: no WebSocket",
      away: "Not connected",
      over: "",
      out: "Logged out",
      forbidden: "No permission",
      gone: "Gone",
    }[state];
    root.classList.toggle("is-stale", ["away", "out", "forbidden", "gone"].includes(state));
    if (state === "away") trouble(`The server does not answer; what you see is what was last known. The operation itself goes on. Next try in ${spanText(Math.max(1, retryInMs / 1000))}.`);
    else if (state === "out") trouble("You are not logged in any more. ", h("a", { href: root.dataset.login }, "Log in again"), ".");
    else if (state === "forbidden") trouble("Your account may not look at this operation any more. Ask an admin for the permission.");
    else if (state === "gone") trouble("This operation does not exist any more.");
    else trouble();
  });

  view.clockSet(live.now);
  show(snapshot);
  feed.open();
}

for (const root of document.querySelectorAll("[data-progress]")) progressMount(root);
