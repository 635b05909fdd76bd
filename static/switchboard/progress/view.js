// Draws a snapshot: the bar, the sentence, the tiles, the shares, the reasons, the buttons.
import { h, svg } from "../inbox/desk/dom.js";
import { clockText, number, rateText, spanText } from "./words.js";

const FATES = [
  ["done", "done"],
  ["unknown", "unknown"],
  ["failed", "failed"],
  ["skipped", "skipped"],
];
const uncounted = { running: "It is being counted.", waiting: "It has not begun.", paused: "It is not counted yet.", over: "Nothing was done." };
const SHOWN = 12; // reasons; the rest are summed up
const KEPT = 240; // points of the small chart of the rate

/** Where the numbers of one snapshot go. `root` is the section of templates/progress/_live.html. */
export class ProgressView {
  #part;
  #rates = [];
  #skew = 0;
  #shown = null;

  constructor(root) {
    this.root = root;
    this.#part = (name) => root.querySelector(`[data-${name}]`);
    setInterval(() => this.#shown && this.#clock(this.#shown), 1000);
  }

  /** The server's clock counts: that of a laptop may be wrong. */
  clockSet(iso) {
    this.#skew = Date.parse(iso) - Date.now();
  }

  show(snapshot) {
    this.#shown = snapshot;
    this.root.dataset.stage = snapshot.stage;
    const open = snapshot.total === null ? null : snapshot.total - settled(snapshot);
    const percent = snapshot.percent === null ? "–" : snapshot.percent.toFixed(snapshot.percent % 1 ? 1 : 0);
    this.#part("percent").textContent = percent;
    this.#part("percent").nextElementSibling.hidden = snapshot.percent === null;
    this.#part("state").textContent = snapshot.state;
    this.#part("note").textContent = snapshot.note;
    this.#part("note").hidden = !snapshot.note;
    const bar = this.#part("bar");
    bar.setAttribute("aria-valuenow", snapshot.percent ?? 0);
    bar.setAttribute("aria-valuetext", `${snapshot.percent === null ? "" : `${percent} %, `}${snapshot.state}`);
    fill(bar, snapshot);
    this.#legend(snapshot, open);
    if (snapshot.stage === "running" && snapshot.rate_per_s !== null) this.#rates.push(snapshot.rate_per_s);
    this.#rates.splice(0, Math.max(0, this.#rates.length - KEPT));
    this.#tiles(snapshot);
    this.#clock(snapshot);
    this.#shares(snapshot.parts);
    this.#reasons(snapshot.reasons);
    document.title = `${snapshot.stage === "over" || snapshot.percent === null ? snapshot.state : `${percent} %`} · ${snapshot.title}`;
  }

  #legend(snapshot, open) {
    const lines = FATES.filter(([name]) => snapshot[name] || name === "done").map(([name, word]) => [name, word, snapshot[name]]);
    if (open) lines.push(["open", snapshot.stage === "over" ? "never tried" : "to go", open]);
    this.#part("legend").replaceChildren(...lines.map(([name, word, count]) =>
      h("li", { class: `is-${name}` }, h("b", {}, number(count)), ` ${word}`)));
  }

  #tiles(snapshot) {
    const tile = (name, title, extra) => {
      let box = this.root.querySelector(`[data-tile="${name}"]`);
      if (!box) {
        box = h("div", { class: "pl-tile" }, h("dt", {}, title), h("dd", {}), h("dd", { class: "pl-hint" }));
        box.dataset.tile = name;
        this.#part("tiles").append(box);
      }
      if (extra) box.lastElementChild.replaceChildren(extra);
      return box.children[1];
    };
    const rate = snapshot.rate_per_s;
    tile("rate", snapshot.stage === "over" ? "Average rate" : "Rate", spark(this.#rates)).textContent =
      rate === null ? "–" : `${rateText(rate)} / s`;
    this.root.querySelector('[data-tile="rate"] dt').textContent = snapshot.stage === "over" ? "Average rate" : "Rate now";
    tile("eta", "To go");
    tile("spent", "").previousElementSibling.textContent = snapshot.finished_at ? "Took" : "Running for";
    tile("began", "Began");
  }

  /** What goes on between two snapshots: the sentence, and how long it has run. */
  #clock(snapshot) {
    const now = Date.now() + this.#skew;
    const set = (name, text, hint = "") => {
      const box = this.root.querySelector(`[data-tile="${name}"]`);
      if (box.children[1].textContent !== text) box.children[1].textContent = text;
      if (box.lastElementChild.textContent !== hint) box.lastElementChild.textContent = hint;
    };
    const { stage, eta_s: eta, started_at: began, finished_at: ended, total } = snapshot;
    const went = total === null ? "" : `${number(settled(snapshot))} of ${number(total)} ${snapshot.unit}`;
    let ahead = "";
    if (stage === "running" && eta !== null) ahead = eta > 0 ? `, about ${spanText(eta)} to go` : "";
    if (stage === "paused") ahead = ", paused";
    this.#part("sentence").textContent = went ? `${went}${ahead}` : uncounted[stage];
    if (stage === "running") set("eta", eta === null ? "–" : spanText(eta), eta === null ? "not known yet" : `until ${clockText(now + eta * 1000)}`);
    else set("eta", "–", { waiting: "not begun", paused: "paused", over: "it is over" }[stage]);
    const until = ended ? Date.parse(ended) : now;
    set("spent", began ? spanText((until - Date.parse(began)) / 1000) : "–", ended ? `until ${clockText(until)}` : "");
    set("began", began ? clockText(Date.parse(began)) : "–", began ? `${began.slice(11, 16)} UTC` : "not yet");
  }

  #shares(parts) {
    this.#part("parts-card").hidden = parts.length === 0;
    this.#part("parts").replaceChildren(...parts.map((part) => {
      const bar = h("div", { class: "pl-bar is-small" });
      fill(bar, part);
      const words = FATES.filter(([name]) => part[name]).map(([name, word]) => `${number(part[name])} ${word}`);
      return h("li", {},
        h("p", {}, h("b", {}, part.title), h("span", {}, `${number(settled(part))} of ${number(part.total)}`)),
        bar,
        h("p", { class: "pl-hint" }, words.join(", ") || "nothing yet"));
    }));
  }

  #reasons(reasons) {
    this.#part("no-reasons").hidden = reasons.length > 0;
    const most = Math.max(1, ...reasons.map((each) => each.count));
    const shown = reasons.slice(0, SHOWN);
    const rest = reasons.slice(SHOWN).reduce((sum, each) => sum + each.count, 0);
    if (rest) shown.push({ text: `${reasons.length - SHOWN} other reasons`, count: rest });
    this.#part("reasons").replaceChildren(...shown.map(({ text, count, fate }) => {
      const bar = h("span", { class: `pl-reason-bar is-${fate ?? "failed"}` });
      bar.style.width = `${Math.max(1, (100 * Math.min(count, most)) / most)}%`;
      return h("li", {}, h("p", {}, h("span", {}, text), h("b", {}, number(count))), h("div", {}, bar));
    }));
  }
}

export const settled = (counts) => counts.done + counts.failed + counts.skipped + counts.unknown;

/** The pieces of a bar, each as wide as its share; what is there stays, so that it can grow. */
function fill(bar, counts) {
  const total = Math.max(1, counts.total ?? settled(counts));
  for (const [name] of FATES) {
    let piece = bar.querySelector(`.is-${name}`);
    if (!piece) {
      piece = h("span", { class: `is-${name}` });
      bar.append(piece);
    }
    piece.style.width = `${(100 * counts[name]) / total}%`;
    piece.hidden = !counts[name];
  }
}

/** The rate of the last minutes as a small line. */
function spark(rates) {
  if (rates.length < 3) return "";
  const top = Math.max(...rates) || 1;
  const step = 100 / (rates.length - 1);
  const points = rates.map((rate, i) => `${(i * step).toFixed(1)},${(22 - (20 * rate) / top).toFixed(1)}`);
  return svg("svg", { viewBox: "0 0 100 24", preserveAspectRatio: "none", class: "pl-spark", role: "img", "aria-label": `Rate, at most ${rateText(top)} a second` },
    svg("polygon", { points: `0,24 ${points.join(" ")} 100,24` }),
    svg("polyline", { points: points.join(" ") }));
}
