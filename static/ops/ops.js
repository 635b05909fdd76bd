// The live dashboard. docs/dashboard.md says what it shows and how it learns of it.
import { clockSet, now, span, tick } from "../switchboard/inbox/desk/dom.js";
import { chartDraw } from "./charts.js";
import { OpsFeed } from "./feed.js";
import { alertsShow, eventsShow, queuesShow, serversShow, servicesShow } from "./lists.js";
import { tilesShow } from "./tiles.js";
import { bits, clockText, money, number, rate, zone } from "./words.js";

const LATE_S = 75; // pictures come every 30 s
const root = document.querySelector("[data-ops]");
const part = (name) => root.querySelector(`[data-${name}]`);
const known = JSON.parse(document.getElementById("ops-now").textContent);
let link = "connecting";
let said = ""; // trouble of the line: a text, or the parts of one
let told = "";

// ---- charts ----
const chart = (name) => root.querySelector(`[data-chart="${name}"]`);
const chosen = () => part("spans").querySelector("input:checked").value;

function chartsShow() {
  const { charts, money: paid, taken_at: takenAt } = known.snapshot;
  const line = charts[chosen()];
  const to = Date.parse(takenAt) / 1000;
  const from = to - (chosen() === "hour" ? 3600 : 86_400);
  const draw = (name, values, text, empty) => chartDraw(chart(name), {
    points: line.at.map((at, i) => ({ at, value: values[i] })), from, to, everyS: line.every_s, form: "line", text, empty,
  });
  draw("users", line.users, (value) => number(Math.round(value)), "No picture knew how many are online.");
  draw("bandwidth", line.bytes_per_s, bits, "No server has told its traffic.");
  draw("jobs", line.jobs_per_s, (value) => `${rate(value)}/s`, "No picture of the jobs yet.");
  const { currency, counts, amounts } = paid.hours;
  chartDraw(chart("money"), {
    points: counts.map((count, i) => ({ at: to - (counts.length - i) * 3600, value: currency ? Number(amounts[i]) : null, count, amount: amounts[i] })),
    from: to - counts.length * 3600, to, everyS: 3600, form: "bars",
    text: (value) => `${number(value)} ${currency}`,
    when: (point) => `${clockText(point.at * 1000)} to ${clockText((point.at + 3600) * 1000)}, ${number(point.count)} paid ${money(point.amount)} ${currency}`,
    empty: "Nobody has paid in the last 24 hours.",
  });
}
part("spans").addEventListener("change", () => { if (known.snapshot) chartsShow(); });

// ---- what is shown ----
const events = () => eventsShow(root, known.events.items, part("which").value);
part("which").addEventListener("change", events);

const shows = {
  snapshot() {
    if (!known.snapshot) return;
    tilesShow(root, known);
    chartsShow();
    serversShow(root, known.snapshot.servers);
    queuesShow(root, known.snapshot.work);
    servicesShow(root, known.snapshot.services);
  },
  events,
  alerts() {
    tilesShow(root, { alerts: known.alerts });
    alertsShow(root, known.alerts);
    const { open, critical } = known.alerts;
    document.title = `${open ? `(${critical ? `${critical} critical` : open}) ` : ""}Live dashboard · Switchboard`;
  },
  tick() {
    clockSet(Date.parse(known.tick.now));
    age();
  },
};

/** How old the picture is, and whatever else is wrong, always in sight. */
function age() {
  const place = part("age");
  const seconds = known.snapshot ? Math.max(0, (now() - Date.parse(known.snapshot.taken_at)) / 1000) : null;
  place.textContent = seconds === null ? "no picture yet" : `figures are ${span(Math.round(seconds))} old · times in ${zone()}`;
  const isLate = seconds === null || seconds > LATE_S;
  place.classList.toggle("is-late", isLate);
  const words = said || known.tick.trouble || (isLate
    ? "No new picture comes: no worker takes one. Look at the workers of the console; events and alerts still come as they happen."
    : "");
  if (words !== told) { // once: it is read out
    told = words;
    part("trouble").replaceChildren(...[words].flat());
    part("trouble").hidden = !words;
  }
  root.classList.toggle("is-stale", isLate || !["live", "polling", "connecting"].includes(link));
}

// ---- the line ----
const feed = new OpsFeed(root.dataset.api);
for (const name of Object.keys(shows)) {
  feed.addEventListener(name, ({ detail }) => {
    known[name] = detail;
    shows[name]();
  });
}
feed.addEventListener("state", ({ detail: { state, retryInMs } }) => {
  link = state;
  const pill = part("pill");
  pill.dataset.link = state;
  pill.textContent = {
    connecting: "Connecting…",
    live: "Live",
    polling: "Every 10 s: no WebSocket",
    away: "Not connected",
    out: "Logged out",
    forbidden: "No permission",
  }[state];
  if (state === "away") said = `The server does not answer; what you see is what was last known. Next try in ${span(Math.max(1, Math.round(retryInMs / 1000)))}.`;
  else if (state === "out") said = ["You are not logged in any more. ", anchor(root.dataset.login, "Log in again"), "."];
  else if (state === "forbidden") said = "Your account may not look at servers any more. Ask an admin for the permission.";
  else said = "";
  age();
});

function anchor(href, text) {
  const node = document.createElement("a");
  node.href = href;
  node.textContent = text;
  return node;
}

for (const show of [shows.tick, shows.snapshot, shows.events, shows.alerts]) show();
setInterval(() => { tick(root); age(); }, 1000);
feed.open();
