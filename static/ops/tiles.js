// The row of numbers.
import { number, plural, span } from "../switchboard/inbox/desk/dom.js";
import { bits, money, rate } from "./words.js";

/** Put a picture and the open alerts into the tiles. */
export function tilesShow(root, { snapshot, alerts }) {
  const set = (name, value, hint, tone = "") => {
    const tile = root.querySelector(`[data-tile="${name}"]`);
    tile.querySelector(".value").textContent = value;
    tile.querySelector(".hint").textContent = hint;
    tile.dataset.tone = tone;
  };
  if (alerts) {
    set(
      "alerts", number(alerts.open),
      alerts.open ? `${number(alerts.critical)} critical, ${number(alerts.warning)} warning` : "all is well",
      alerts.critical ? "bad" : alerts.open ? "warn" : "good",
    );
  }
  if (!snapshot) return;
  const { people, servers, work, money: paid, lane, panel } = snapshot;
  set(
    "users", people.online === null ? "–" : number(people.online),
    people.online === null ? "nobody knows: no count for 30 min"
      : `of ${number(people.active)} active${people.source === "panel" ? "" : ", by the last count"}`,
    people.online === null ? "warn" : "",
  );
  set("bandwidth", servers.bytes_per_s === null ? "–" : bits(servers.bytes_per_s), servers.bytes_per_s === null ? "servers say nothing" : "in and out, all servers");
  const down = servers.counts.offline + servers.counts.warning;
  set(
    "servers", servers.total ? `${number(servers.counts.online)} / ${number(servers.total - servers.counts.maintenance)}` : "–",
    servers.total ? [
      servers.counts.offline && `${number(servers.counts.offline)} offline`,
      servers.counts.warning && `${number(servers.counts.warning)} connecting`,
      servers.counts.maintenance && `${number(servers.counts.maintenance)} in maintenance`,
    ].filter(Boolean).join(", ") || "all of them" : "none known yet",
    servers.counts.offline ? "bad" : down ? "warn" : "",
  );
  const late = work.oldest_s !== null && work.oldest_s >= 60;
  const failing = work.failed_per_second > 0.05 * Math.max(work.per_second, 1); // as the rule error_rate
  set(
    "jobs", rate(work.per_second),
    [
      work.due ? `${number(work.due)} wait, the oldest ${span(work.oldest_s ?? 0)}` : "nothing waits",
      failing && `${rate(work.failed_per_second)} failed tries`,
    ].filter(Boolean).join(", "),
    late ? "bad" : failing ? "warn" : "",
  );
  const [main, ...others] = paid.amounts;
  set(
    "money", main ? `${money(main.amount)} ${main.currency}` : "0",
    [plural(paid.count, "payment"), ...others.map((each) => `${money(each.amount)} ${each.currency}`)].join(", "),
  );
  const stopped = lane.obstacles.length > 0;
  set(
    "lane", `${rate(lane.per_second)}/s`,
    stopped ? lane.obstacles[0] : lane.due ? `${number(lane.due)}${lane.is_more ? "+" : ""} due, of ${number(lane.rate)}/s` : `nothing waits, of ${number(lane.rate)}/s`,
    stopped ? "bad" : lane.waited_s >= 60 ? "warn" : "",
  );
  if (!panel) set("panel", "off", "no panel is set up");
  else if (panel.error) set("panel", "away", panel.error, "bad");
  else set("panel", `${number(Math.round(panel.latency_ms))} ms`, "to answer", panel.latency_ms >= 2000 ? "warn" : "");
}
