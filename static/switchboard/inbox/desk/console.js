// The live console: wires the parts of the page to each other. docs/inbox-clients.md says what it shows.
import { latencyDraw } from "./chart.js";
import { composeWire } from "./compose.js";
import { clockSet, span, tick } from "./dom.js";
import { Feed } from "./feed.js";
import { historyWire } from "./history.js";
import { panelWire } from "./panel.js";
import { pendingWire } from "./pending.js";
import { peopleWire } from "./people.js";
import { tilesWire } from "./tiles.js";

const root = document.querySelector(".desk");
const part = (name) => document.getElementById(name);
const feed = new Feed();

const pill = part("feed");
const trouble = part("trouble");
feed.addEventListener("state", ({ detail: { state, retryInMs } }) => {
  pill.dataset.state = state;
  pill.textContent = {
    connecting: "Connecting…",
    live: "Live",
    polling: "Every 3 s: no WebSocket",
    away: "Not connected",
    refused: "Logged out",
  }[state];
  trouble.hidden = state !== "away" && state !== "refused";
  if (state === "away") {
    trouble.textContent = `The server does not answer; what you see is what was last known. Next try in ${span(Math.max(1000, retryInMs) / 1000)}.`;
  } else if (state === "refused") {
    const again = document.createElement("a");
    again.href = root.dataset.login;
    again.textContent = "Log in again";
    trouble.replaceChildren("You are not logged in as staff any more. ", again, ".");
  }
});
feed.addEventListener("tick", ({ detail }) => {
  clockSet(detail.at * 1000);
  if (detail.trouble) {
    trouble.hidden = false;
    trouble.textContent = `${detail.trouble} What you see is what was last known.`;
  } else if (pill.dataset.state === "live" || pill.dataset.state === "polling") {
    trouble.hidden = true;
  }
});

const history = historyWire(part("history"), feed, { mayChange: root.dataset.mayChange !== "" });
const show = (person) => {
  history.show(person);
  part("history").scrollIntoView({ behavior: "smooth", block: "nearest" });
};
tilesWire(part("tiles"), feed);
pendingWire(part("pending"), feed, show);
const compose = composeWire(part("compose"), part("people"), () => history.again());
peopleWire(part("people"), feed, show);
const panel = panelWire(part("panel"), (who) => {
  compose.aim(who);
  history.show(who);
});

const plot = part("latency");
feed.addEventListener("latency", ({ detail }) => {
  latencyDraw(plot.querySelector("[data-plot]"), plot.querySelector("[data-said]"), detail.points);
});

setInterval(() => tick(), 1000);
feed.open();

// A second screen of the same person: /?inbox=1-alice
const named = /^([0-9]{1,18})-(.+)$/.exec(new URLSearchParams(location.search).get("inbox") ?? "");
if (named) panel.open({ user_id: Number(named[1]), login: named[2] });
